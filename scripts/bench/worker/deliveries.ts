/** AMQP 0-9-1, section 4.2.3: type (1 byte), channel (2), size (4), payload, end (1). */
const HEADER = 7;
const METHOD_FRAME = 1;
/** The first four bytes of a method's payload: class basic, method deliver. */
const BASIC_DELIVER = (60 << 16) | 60;
const NEEDED = HEADER + 4;

/**
 * Counts the deliveries in a stream of AMQP frames and reads nothing else of them: a twentieth of what it costs to
 * decode each message, so that who takes the messages hardly takes part in what is measured.
 */
export class DeliveryCounter {
  readonly #onDelivery: (channel: number) => void;
  /** Bytes of the current frame that are still to come. */
  #skip = 0;
  #start: Buffer = Buffer.alloc(0);

  constructor(onDelivery: (channel: number) => void) {
    this.#onDelivery = onDelivery;
  }

  read(chunk: Buffer): void {
    const data = this.#start.length > 0 ? Buffer.concat([this.#start, chunk]) : chunk;
    let at = this.#skip;
    while (at + NEEDED <= data.length) {
      if (data[at] === METHOD_FRAME && data.readUInt32BE(at + HEADER) === BASIC_DELIVER)
        this.#onDelivery(data.readUInt16BE(at + 1));
      at += HEADER + data.readUInt32BE(at + 3) + 1;
    }
    // A frame of less than four bytes of payload (a heartbeat) has none to compare, and may end within what is kept.
    this.#start = at < data.length ? Buffer.from(data.subarray(at)) : Buffer.alloc(0);
    this.#skip = Math.max(0, at - data.length);
  }
}
