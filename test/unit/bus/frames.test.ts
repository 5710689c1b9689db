import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { Frames, type RawMessage } from '../../../pkg/bus/amqp/frames.ts';

interface Parsed {
  readonly type: number;
  readonly channel: number;
  readonly payload: Buffer;
  readonly rest: Buffer;
}
interface Decoded {
  readonly id: number;
  readonly fields: Record<string, unknown>;
  readonly size?: number;
}
// Its parser is not exported: the file is.
const require = createRequire(import.meta.url);
const amqplib = (file: string): unknown => require(join(dirname(require.resolve('amqplib')), 'lib', file));
const { parseFrame, decodeFrame } = amqplib('frame.js') as {
  parseFrame: (bytes: Buffer, max: number) => Parsed | false;
  decodeFrame: (frame: Parsed) => Decoded;
};
const { BasicPublish, BasicProperties, BasicAck } = amqplib('defs.js') as Record<string, number>;

/** What amqplib, on the other side, makes of what was written. */
function read(bytes: Buffer): { method: Decoded; header?: Decoded; body: Buffer }[] {
  const messages: { method: Decoded; header?: Decoded; body: Buffer }[] = [];
  for (let rest = bytes; rest.length > 0; ) {
    const frame = parseFrame(rest, 0);
    if (!frame) throw new Error('a frame is not whole');
    expect(frame.channel).to.equal(3);
    rest = frame.rest;
    const last = messages.at(-1);
    if (frame.type === 1) messages.push({ method: decodeFrame(frame), body: Buffer.alloc(0) });
    else if (frame.type === 2 && last) last.header = decodeFrame(frame);
    else if (last) last.body = Buffer.concat([last.body, frame.payload]);
  }
  return messages;
}

async function written(write: (frames: Frames) => void): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  const frames = new Frames((bytes) => chunks.push(Buffer.from(bytes)));
  write(frames);
  await new Promise((resolve) => setImmediate(resolve));
  expect(frames.waiting).to.equal(0);
  return chunks;
}

const short = (max = 255) => fc.string({ unit: 'binary', maxLength: 60 }).filter((text) => Buffer.byteLength(text) <= max);
/** amqplib puts what it reads into a plain object, where this name is none. */
const header_name = short().filter((name) => name !== '__proto__');
const optional = (text: fc.Arbitrary<string>) => fc.option(text, { nil: undefined });
const messages = fc.record({
  exchange: short(),
  routing_key: short(),
  body: fc.oneof(
    fc.string({ unit: 'binary', maxLength: 3_000 }),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  ),
  options: fc.record({
    mandatory: fc.boolean(),
    persistent: fc.boolean(),
    contentType: optional(short()),
    contentEncoding: optional(short()),
    headers: fc.option(fc.dictionary(header_name, fc.oneof(fc.maxSafeInteger(), short())), { nil: undefined }),
    priority: fc.option(fc.nat(9), { nil: undefined }),
    correlationId: optional(short()),
    replyTo: optional(short()),
    expiration: fc.option(fc.nat().map(String), { nil: undefined }),
    messageId: optional(short()),
    timestamp: fc.option(fc.nat({ max: 2 ** 40 }), { nil: undefined }),
    type: optional(short()),
    appId: optional(short()),
  }),
});

describe('bus/amqp/frames', () => {
  it('writes messages that amqplib reads as they were', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(messages, { maxLength: 60 }), async (given) => {
        const chunks = await written((frames) => {
          for (const message of given) frames.publish(3, message as RawMessage);
        });
        const seen = read(Buffer.concat(chunks)).map(({ method, header, body }) => ({ method, header, body }));
        expect(seen.length).to.equal(given.length);
        for (const [at, { exchange, routing_key, body, options }] of given.entries()) {
          const { mandatory, persistent, ...rest } = options;
          expect(seen[at]?.method.id).to.equal(BasicPublish);
          expect(seen[at]?.method.fields).to.include({ exchange, routingKey: routing_key, mandatory, immediate: false });
          expect(seen[at]?.header?.id).to.equal(BasicProperties);
          const bytes = Buffer.from(body as string);
          expect(seen[at]?.header?.size).to.equal(bytes.length);
          const fields = Object.fromEntries(
            Object.entries(seen[at]?.header?.fields ?? {}).filter(([, value]) => value !== undefined),
          );
          const wanted = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
          expect(plain(fields)).to.deep.equal(plain({ ...wanted, deliveryMode: persistent ? 2 : 1 }));
          expect(seen[at]?.body.equals(bytes)).to.equal(true);
        }
      }),
    );
  });

  it('writes acknowledgements, up to the largest number of a delivery', async () => {
    const chunks = await written((frames) => {
      frames.acknowledge(3, 7, false);
      frames.acknowledge(3, Number.MAX_SAFE_INTEGER, true);
    });
    expect(read(Buffer.concat(chunks)).map(({ method }) => [method.id, method.fields])).to.deep.equal([
      [BasicAck, { deliveryTag: 7, multiple: false }],
      [BasicAck, { deliveryTag: Number.MAX_SAFE_INTEGER, multiple: true }],
    ]);
  });

  it('gives away once a turn what it has, in the order of the calls', async () => {
    const message = (body: string): RawMessage => ({ exchange: '', routing_key: 'q', body, options: {} });
    const chunks = await written((frames) => {
      for (let at = 0; at < 20; at += 1) frames.publish(3, message(String(at)));
    });
    expect(chunks.length).to.equal(1);
    expect(read(Buffer.concat(chunks)).map(({ body }) => body.toString())).to.deep.equal(
      Array.from({ length: 20 }, (_none, at) => String(at)),
    );
  });

  it('says what is too long, and leaves nothing of it', async () => {
    const fits: RawMessage = { exchange: '', routing_key: 'q', body: 'fits', options: {} };
    const chunks = await written((frames) => {
      frames.publish(3, fits);
      const long = { ...fits, options: { correlationId: 'é'.repeat(128) } };
      expect(() => frames.publish(3, long)).to.throw(TypeError, 'correlation id of 256 bytes');
      frames.publish(3, fits);
    });
    expect(read(Buffer.concat(chunks)).map(({ body }) => body.toString())).to.deep.equal(['fits', 'fits']);
  });
});

/** Tables come without a prototype, and large numbers as BigInt. */
function plain(fields: Record<string, unknown>): unknown {
  return JSON.parse(JSON.stringify(fields, (_key, value: unknown) => (typeof value === 'bigint' ? Number(value) : value)));
}
