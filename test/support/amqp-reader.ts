/** Cuts a stream of AMQP 0-9-1 into units that only make sense as a whole: a message with its body, or one frame. */

export interface Unit {
  readonly from: 'client' | 'broker';
  /** ack: from a client an acknowledgement, from the broker a confirm. */
  readonly kind: 'publish' | 'deliver' | 'ack' | 'other';
  readonly exchange: string;
  readonly routing_key: string;
  readonly body: Buffer;
  readonly bytes: Buffer;
}

type Kind = Unit['kind'];

const HEADER_BYTES = 8; // 'AMQP' and the version, once, from the client
const FRAME_OVERHEAD = 8; // type, channel, size before; end mark behind
const METHOD = 1;
const HEADER = 2;
const BODY = 3;
const BASIC = 60;
const KINDS: { readonly [method: number]: Kind } = { 40: 'publish', 60: 'deliver', 80: 'ack' };

/** A message of which frames are still to come. */
interface Message {
  readonly method: Pick<Unit, 'kind' | 'exchange' | 'routing_key'>;
  readonly frames: Buffer[];
  readonly body: Buffer[];
  left: number;
}

export class AmqpReader {
  readonly #from: Unit['from'];
  readonly #emit: (unit: Unit) => void;
  readonly #partial = new Map<number, Message>();
  #rest: Buffer = Buffer.alloc(0);
  #greeted: boolean;

  constructor(from: Unit['from'], emit: (unit: Unit) => void) {
    this.#from = from;
    this.#emit = emit;
    this.#greeted = from === 'broker';
  }

  read(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    if (!this.#greeted) {
      if (this.#rest.length < HEADER_BYTES) return;
      this.#greeted = true;
      this.#tell({ kind: 'other', exchange: '', routing_key: '' }, this.#take(HEADER_BYTES));
    }
    while (this.#rest.length >= FRAME_OVERHEAD) {
      const length = FRAME_OVERHEAD + this.#rest.readUInt32BE(3);
      if (this.#rest.length < length) return;
      this.#frame(this.#take(length));
    }
  }

  #take(length: number): Buffer {
    const taken = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return taken;
  }

  #frame(frame: Buffer): void {
    const channel = frame.readUInt16BE(1);
    const payload = frame.subarray(7, -1);
    const [type] = frame;
    if (type === METHOD) this.#method(channel, payload, frame);
    else if (type === HEADER) this.#more(channel, frame, Buffer.alloc(0), Number(payload.readBigUInt64BE(4)));
    else if (type === BODY) this.#more(channel, frame, payload, 0);
    else this.#tell({ kind: 'other', exchange: '', routing_key: '' }, frame);
  }

  #method(channel: number, payload: Buffer, frame: Buffer): void {
    const kind = (payload.readUInt16BE(0) === BASIC && KINDS[payload.readUInt16BE(2)]) || 'other';
    if (kind !== 'publish' && kind !== 'deliver') {
      this.#tell({ kind, exchange: '', routing_key: '' }, frame);
      return;
    }
    // publish: ticket, exchange, key; deliver: consumer tag, delivery tag and flag, exchange, key
    const start = kind === 'publish' ? 6 : 4 + 1 + (payload[4] ?? 0) + 9;
    const [exchange, after] = shortText(payload, start);
    const [routing_key] = shortText(payload, after);
    this.#partial.set(channel, { method: { kind, exchange, routing_key }, frames: [frame], body: [], left: 0 });
  }

  #more(channel: number, frame: Buffer, body: Buffer, size: number): void {
    const partial = this.#partial.get(channel);
    if (!partial) {
      this.#tell({ kind: 'other', exchange: '', routing_key: '' }, frame); // content of a method that is not looked at
      return;
    }
    partial.frames.push(frame);
    partial.body.push(body);
    partial.left += size - body.length;
    if (partial.left > 0) return;
    this.#partial.delete(channel);
    this.#tell(partial.method, Buffer.concat(partial.frames), Buffer.concat(partial.body));
  }

  #tell(method: Pick<Unit, 'kind' | 'exchange' | 'routing_key'>, bytes: Buffer, body: Buffer = Buffer.alloc(0)): void {
    this.#emit({ from: this.#from, ...method, bytes, body });
  }
}

function shortText(payload: Buffer, at: number): [string, number] {
  const end = at + 1 + (payload[at] ?? 0);
  return [payload.toString('utf8', at + 1, end), end];
}
