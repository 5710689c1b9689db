import type { Options } from 'amqplib';

/** What a message may bear besides its body. */
export type Properties = Pick<
  Options.Publish,
  | 'mandatory'
  | 'contentType'
  | 'contentEncoding'
  | 'headers'
  | 'persistent'
  | 'priority'
  | 'correlationId'
  | 'replyTo'
  | 'expiration'
  | 'messageId'
  | 'timestamp'
  | 'type'
  | 'appId'
>;

/** A message in the broker's terms; bytes, where it need not be text. */
export interface RawMessage {
  readonly exchange: string;
  readonly routing_key: string;
  readonly body: string | Buffer;
  readonly options: Properties;
}

/** Frames are collected in pieces of memory of this size, and written when the turn ends. */
const SLAB_BYTES = 64 * 1024;
/** The most that a body takes here. Larger messages are amqplib’s to write: there it is their bytes that take the time. */
export const MOST_BYTES = SLAB_BYTES / 4;

export const BASIC_ACK = 0x3c_0050;
const BASIC_PUBLISH = 0x3c_0028;
const BASIC_CLASS = 0x3c_0000;
const ACK_BYTES = 21;
const FRAME_END = 0xce;
/** Frame heads and ends, and the fields of fixed length, generously. */
const FIXED_BYTES = 128;

/** AMQP 0-9-1, 2.3.5 and 4.2: a method frame, a header frame and a body frame, one after the other. */
export class Frames {
  readonly #write: (bytes: Buffer) => void;
  readonly #flush = (): void => this.flush();
  #slab: Buffer | undefined;
  /** Where in the slab begins what is not given away yet. */
  #from = 0;
  #at = 0;

  /** `write` gets what was collected when the turn ends, or a slab is full; the memory is not used again. */
  constructor(write: (bytes: Buffer) => void) {
    this.#write = write;
  }

  /** Bytes that are not given away yet. */
  get waiting(): number {
    return this.#at - this.#from;
  }

  /** What throws midway leaves nothing: only `#done` moves on. */
  publish(channel: number, { exchange, routing_key, body, options }: RawMessage): void {
    const slab = this.#room(spaceForRest(options) + spaceForBody(body));
    const began = this.#at;
    let at = frameHead(slab, began, 1, channel, BASIC_PUBLISH);
    at = slab.writeUInt16BE(0, at);
    at = shortString(slab, at, exchange, 'exchange');
    at = shortString(slab, at, routing_key, 'routing key');
    slab[at++] = options.mandatory ? 1 : 0;
    at = frameEnd(slab, began, at);
    const header = at;
    at = frameHead(slab, header, 2, channel, BASIC_CLASS);
    const size = at;
    at = properties(slab, at + 8, options);
    at = frameEnd(slab, header, at);
    const bytes = typeof body === 'string' ? slab.write(body, at + 7) : body.copy(slab, at + 7);
    slab.writeUInt32BE(0, size);
    slab.writeUInt32BE(bytes, size + 4);
    if (bytes > 0) {
      slab[at] = 3;
      slab.writeUInt16BE(channel, at + 1);
      at = frameEnd(slab, at, at + 7 + bytes);
    }
    this.#done(at);
  }

  acknowledge(channel: number, delivery_tag: number, multiple: boolean): void {
    const slab = this.#room(ACK_BYTES);
    const began = this.#at;
    const at = uint64(slab, frameHead(slab, began, 1, channel, BASIC_ACK), delivery_tag);
    slab[at] = multiple ? 1 : 0;
    this.#done(frameEnd(slab, began, at + 1));
  }

  /** Gives away what there is, now. */
  flush(write = this.#write): void {
    if (!this.#slab || this.#at === this.#from) return;
    const bytes = this.#slab.subarray(this.#from, this.#at);
    this.#from = this.#at;
    write(bytes);
  }

  #done(at: number): void {
    if (this.#at === this.#from) setImmediate(this.#flush);
    this.#at = at;
  }

  #room(bytes: number): Buffer {
    if (this.#slab && this.#at + bytes <= this.#slab.length) return this.#slab;
    this.flush();
    this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    this.#from = 0;
    this.#at = 0;
    return this.#slab;
  }
}

/** The most bytes that a body takes: three for a unit of UTF-16. */
export function spaceForBody(body: string | Buffer): number {
  return typeof body === 'string' ? 3 * body.length : body.length;
}

/** The same of everything else: eleven short strings, and five times as much as one for each header. */
function spaceForRest({ headers }: Properties): number {
  let strings = 11;
  for (const _ in headers) strings += 5;
  return FIXED_BYTES + strings * 256;
}

function frameHead(slab: Buffer, at: number, type: number, channel: number, method: number): number {
  slab[at] = type;
  slab.writeUInt16BE(channel, at + 1);
  return slab.writeUInt32BE(method, at + 7);
}

function frameEnd(slab: Buffer, began: number, at: number): number {
  slab.writeUInt32BE(at - began - 7, began + 3);
  slab[at] = FRAME_END;
  return at + 1;
}

/** In the order of their flags, the highest first. */
function properties(slab: Buffer, begin: number, options: Properties): number {
  let flags = 0x1000;
  let at = begin + 2;
  const text = (flag: number, value: string | undefined, name: string): void => {
    if (value === undefined) return;
    flags |= flag;
    at = shortString(slab, at, value, name);
  };
  text(0x8000, options.contentType, 'content type');
  text(0x4000, options.contentEncoding, 'content encoding');
  if (options.headers !== undefined) {
    flags |= 0x2000;
    at = table(slab, at, options.headers as Readonly<Record<string, string | number>>);
  }
  slab[at++] = options.persistent ? 2 : 1;
  if (options.priority !== undefined) {
    flags |= 0x0800;
    slab[at++] = options.priority;
  }
  text(0x0400, options.correlationId, 'correlation id');
  text(0x0200, options.replyTo, 'reply-to');
  text(0x0100, options.expiration === undefined ? undefined : String(options.expiration), 'expiration');
  text(0x0080, options.messageId, 'message id');
  if (options.timestamp !== undefined) {
    flags |= 0x0040;
    at = uint64(slab, at, options.timestamp);
  }
  text(0x0020, options.type, 'type');
  text(0x0008, options.appId, 'app id');
  slab.writeUInt16BE(flags, begin);
  return at;
}

/** Integers as 64 bits, and strings. */
function table(slab: Buffer, begin: number, values: Readonly<Record<string, string | number>>): number {
  let at = begin + 4;
  for (const name in values) {
    const value = values[name] as string | number;
    at = shortString(slab, at, name, 'header name');
    if (typeof value === 'number') {
      slab[at] = 0x6c;
      at = slab.writeBigInt64BE(BigInt(value), at + 1);
    } else {
      slab[at] = 0x53;
      const bytes = slab.write(value, at + 5);
      at = slab.writeUInt32BE(bytes, at + 1) + bytes;
    }
  }
  slab.writeUInt32BE(at - begin - 4, begin);
  return at;
}

/** What is short and ASCII, as almost all of it is, takes longer to hand over to native code than to write. */
function shortString(slab: Buffer, begin: number, text: string, name: string): number {
  const { length } = text;
  if (length > 255) throw tooLong(name, text);
  const at = begin + 1;
  for (let index = 0; index < length; index += 1) {
    const code = text.charCodeAt(index);
    if (code > 127) return unicodeString(slab, begin, text, name);
    slab[at + index] = code;
  }
  slab[begin] = length;
  return at + length;
}

function unicodeString(slab: Buffer, begin: number, text: string, name: string): number {
  const bytes = Buffer.byteLength(text);
  if (bytes > 255) throw tooLong(name, text);
  slab[begin] = bytes;
  return begin + 1 + slab.write(text, begin + 1);
}

function tooLong(name: string, text: string): TypeError {
  return new TypeError(
    `${name} of ${Buffer.byteLength(text)} bytes, begins with "${text.slice(0, 20)}": expected up to 255 bytes`,
  );
}

/** Up to 2^53. */
function uint64(slab: Buffer, at: number, value: number): number {
  return slab.writeUInt32BE(value % 0x1_0000_0000, slab.writeUInt32BE(Math.floor(value / 0x1_0000_0000), at));
}
