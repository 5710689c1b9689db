import { expect } from 'chai';
import { createLog, isLogLevel, type LogLevel, type ScopedLog } from '../../../pkg/log/index.ts';

function capture(level: LogLevel, fields?: object): { log: ScopedLog; lines: () => Record<string, unknown>[] } {
  const written: string[] = [];
  const to = { write: (line: string) => written.push(line) };
  const log = createLog({ level, to, ...(fields === undefined ? {} : { fields }) });
  return { log, lines: () => written.map((line) => JSON.parse(line)) };
}

describe('log', () => {
  it('writes one JSON object a line, with level, time, fields and message', () => {
    const { log, lines } = capture('info', { replica: 'a' });
    log.info({ activeflow_id: 'x' }, 'created');
    const [line] = lines();
    expect(line).to.include({ level: 'info', replica: 'a', activeflow_id: 'x', msg: 'created' });
    expect(line?.time).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it('writes nothing below its level', () => {
    const { log, lines } = capture('warn');
    log.debug({}, 'a');
    log.info({}, 'b');
    log.warn({}, 'c');
    log.error({}, 'd');
    expect(lines().map(({ msg }) => msg)).to.deep.equal(['c', 'd']);
  });

  it('gives a child the fields of its parents', () => {
    const { log, lines } = capture('info');
    log.child({ activeflow_id: 'x' }).child({ request_id: 'r' }).info({ step: 3 }, 'advanced');
    expect(lines()[0]).to.include({ activeflow_id: 'x', request_id: 'r', step: 3 });
  });

  it('masks what is called a secret, at any depth, and secrets inside texts', () => {
    const { log, lines } = capture('debug');
    const fields = { redis_password: 'p1', headers: { Authorization: 'p2' }, urls: ['amqp://a:p3@h'], secret: { a: 'p4' } };
    log.child({ dsn: 'u:p5@tcp(h)/d' }).debug(fields, 'connecting to amqp://u:p6@h');
    expect(JSON.stringify(lines())).to.not.match(/p[1-6]/);
    expect(lines()[0]).to.include({ dsn: 'u:***@tcp(h)/d', msg: 'connecting to amqp://u:***@h' });
  });

  it('tells variables by name only, and by value on debug lines', () => {
    const { log, lines } = capture('debug');
    const activeflow = { id: 'x', variables: { 'voipbin.call.digits': '4711' } };
    log.info({ activeflow }, 'loaded');
    log.debug({ activeflow }, 'loaded');
    expect(lines()[0]?.activeflow).to.deep.equal({ id: 'x', variables: ['voipbin.call.digits'] });
    expect(lines()[1]?.activeflow).to.deep.equal(activeflow);
  });

  it('describes errors with what caused them, without the fields that hold statements', () => {
    const { log, lines } = capture('info');
    const cause = Object.assign(new Error('no route to amqp://u:p@h'), { code: 'EHOSTUNREACH' });
    const error = Object.assign(new Error('connection lost', { cause }), { sql: "INSERT INTO t VALUES ('4711')" });
    log.error({ error }, 'failed');
    const described = lines()[0]?.error as Record<string, unknown>;
    expect(described).to.include({ type: 'Error', message: 'connection lost' });
    expect(described.stack).to.contain('log.test.ts');
    expect(described.cause).to.include({ code: 'EHOSTUNREACH', message: 'no route to amqp://u:***@h' });
    expect(JSON.stringify(lines())).to.not.contain('4711');
  });

  it('lists what an error of several addresses is made of', () => {
    const { log, lines } = capture('info');
    log.warn({ error: new AggregateError([new Error('connect ECONNREFUSED ::1:5672')]) }, 'waiting');
    expect(lines()[0]).to.have.nested.property('error.errors[0].message', 'connect ECONNREFUSED ::1:5672');
  });

  it('survives fields that contain themselves', () => {
    const { log, lines } = capture('info');
    const loop: Record<string, unknown> = { id: 'x' };
    loop.self = loop;
    log.info({ loop }, 'seen');
    expect(lines()[0]).to.have.nested.property('loop.id', 'x');
  });

  it('knows its levels', () => {
    expect(isLogLevel('warn')).to.equal(true);
    expect(isLogLevel('loud')).to.equal(false);
  });
});
