import { expect } from 'chai';
import { percentile } from '../../../cmd/control/call-print.ts';
import { actionDuration, describeAction } from '../../../cmd/control/describe.ts';
import { control, fakeDaemon, good } from './support.ts';

const files = { 'ivr.json': JSON.stringify({ name: 'ivr', actions: [] }) };
const TALK = { id: 't', type: 'talk', name: 'hi', option: { text: 'Hello <b>there</b>', language: 'en-US' } };

describe('control: call', () => {
  it('prints each action and a summary, and ends with 0', async () => {
    const actions = [
      TALK,
      { id: 'd', type: 'digits_receive', option: { length: 1, duration: 5000 } },
      { id: 'h', type: 'hangup' },
    ];
    const { code, out, sent } = await control(['call', '--flow', 'f', '--speed', 'max', '--digits', '1'], fakeDaemon(actions));
    expect(code).to.equal(0);
    const lines = out.split('\n');
    expect(lines[0]).to.match(/^call [0-9a-f-]{36} activeflow [0-9a-f-]{36}$/);
    expect(lines[1]).to.match(/^ +\+\d\.\d{3} s {2}talk "hi" +\S+ ms {2}“Hello there” \(en-US\)$/);
    expect(lines[2]).to.match(/digits_receive +\S+ ms {2}1 digit within 5 s$/);
    expect(lines[3]).to.equal('            the caller presses 1');
    expect(lines[4]).to.match(/hangup/);
    expect(lines[5]).to.match(/^the flow hung up · 3 actions in .* \(on a telephone 1\.3 s\) · next p50 .*, max .*$/);
    const activeflow = lines[0]?.slice(-36);
    expect(lines[6]).to.equal(`why it went so: flow-control activeflow trace ${activeflow}`);
    expect(sent.at(-1)?.uri).to.equal(`/v1/activeflows/${activeflow}/stop`);
  });

  it('makes a temporary flow from a file, of a customer', async () => {
    const { sent, code } = await control(['call', '--file', 'ivr.json', '--customer', 'c', '--speed', 'max'], fakeDaemon([]), {
      files,
    });
    expect(code).to.equal(0);
    expect(sent[0]?.data).to.deep.equal({ persist: false, name: 'ivr', actions: [], customer_id: 'c' });
    expect(sent[1]?.data).to.deep.include({ flow_id: 'flow-1', customer_id: 'c' });
  });

  it('ends with 1 at an error answer, and says which', async () => {
    const { code, err, out } = await control(['call', '--flow', 'f'], ({ uri }) =>
      uri.endsWith('/next')
        ? { status_code: 503, data: { status: 'UNAVAILABLE', reason: 'QUEUE_SILENT', message: 'no answer' } }
        : good(null),
    );
    expect(code).to.equal(1);
    expect(err).to.equal('error: UNAVAILABLE (503) QUEUE_SILENT: no answer');
    expect(out).to.contain('failed, hung up · 0 actions');
  });

  it('prints the report alone on stdout with --json', async () => {
    const { out, err } = await control(['call', '--flow', 'f', '--json', '--speed', 'max'], fakeDaemon([TALK]));
    expect(JSON.parse(out)).to.include({ end: 'finish', actions: 2, natural_ms: 800, error: null });
    expect(err).to.contain('talk "hi"');
  });

  it('takes the percentile that the others do not exceed', () => {
    expect(percentile([1, 2, 3, 4], 0.5)).to.equal(2);
    expect(percentile([1, 2, 3], 0.5)).to.equal(2);
    expect(percentile([7], 0.5)).to.equal(7);
    expect(percentile([], 0.5)).to.equal(0);
  });
});

describe('control: what actions are and how long they last', () => {
  const cases: readonly [string, Record<string, string | number | boolean | string[]>, string, number][] = [
    ['play', { stream_urls: ['http://a', 'http://b'] }, 'http://a http://b', 6000],
    ['talk', { text: 'a b c', async: true }, '“a b c”', 0],
    ['sleep', { duration: 1500 }, 'for 1.5 s', 1500],
    ['dtmf_receive', { max_number_key: 4, finish_on_key: '#', duration: 3000 }, '4 digits or until # within 3 s', 3000],
    ['digits_send', { digits: '12', duration: 100, interval: 50 }, '12', 300],
    ['amd', { machine_handle: 'hangup' }, 'a human answers; a machine: hangup', 3000],
    ['hangup', { reason: 'busy' }, 'busy', 0],
    ['mute', {}, '', 0],
    ['something_new', { a: 1 }, '{"a":1}', 0],
  ];
  for (const [type, option, text, ms] of cases) {
    it(`${type}: ${text || 'nothing to say'}`, () => {
      expect(describeAction({ id: 'x', type, option })).to.equal(text);
      expect(actionDuration({ id: 'x', type, option })).to.equal(ms);
    });
  }

  it('copes with an option that is missing or nonsense', () => {
    expect(describeAction({ id: 'x', type: 'talk' })).to.equal('“”');
    expect(actionDuration({ id: 'x', type: 'sleep', option: { duration: 'soon' } })).to.equal(0);
  });
});
