import { expect } from 'chai';
import fc from 'fast-check';
import { DeliveryCounter } from '../../../scripts/bench/worker/deliveries.ts';

const METHOD = 1;
const BODY = 3;
const HEARTBEAT = 8;
const DELIVER = Buffer.from([0, 60, 0, 60]);
const ACK = Buffer.from([0, 60, 0, 80]);

function frame(type: number, channel: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(7);
  header.writeUInt8(type, 0);
  header.writeUInt16BE(channel, 1);
  header.writeUInt32BE(payload.length, 3);
  return Buffer.concat([header, payload, Buffer.from([0xce])]);
}

/** Two deliveries on channel 1 and one on channel 2, among what is none, a body that looks like one included. */
const STREAM = Buffer.concat([
  frame(METHOD, 1, Buffer.concat([DELIVER, Buffer.alloc(40, 7)])),
  frame(BODY, 1, Buffer.concat([DELIVER, Buffer.alloc(300)])),
  frame(HEARTBEAT, 0, Buffer.alloc(0)),
  frame(METHOD, 2, DELIVER),
  frame(METHOD, 1, ACK),
  frame(BODY, 2, Buffer.alloc(0)),
  frame(METHOD, 1, Buffer.concat([DELIVER, Buffer.alloc(3)])),
  frame(HEARTBEAT, 0, Buffer.alloc(0)),
]);

describe('DeliveryCounter', () => {
  it('finds the deliveries however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: STREAM.length - 1 })), (cuts) => {
        const found: number[] = [];
        const counter = new DeliveryCounter((channel) => found.push(channel));
        const edges = [0, ...cuts.sort((a, b) => a - b), STREAM.length];
        for (const [at, from] of edges.entries()) counter.read(STREAM.subarray(from, edges[at + 1] ?? STREAM.length));
        expect(found).to.deep.equal([1, 2, 1]);
      }),
    );
  });
});
