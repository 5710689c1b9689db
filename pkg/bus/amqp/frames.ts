import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Channel, ChannelModel, ConfirmChannel, Options } from 'amqplib';
import { socketOf } from './socket.ts';

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
/** Larger messages are amqplib's to write: there it is their bytes that take the time. */
const MAX_MESSAGE_BYTES = SLAB_BYTES / 4;
/** What may wait in the socket before those who publish are held back. */
const MAX_WAITING_BYTES = 1024 * 1024;

const BASIC_ACK = 0x3c_0050;
const BASIC_PUBLISH = 0x3c_0028;
const BASIC_CLASS = 0x3c_0000;
const ACK_BYTES = 21;
const FRAME_END = 0xce;
const FRAME_OVERHEAD = 8;
/** Frame heads and ends, and the fields of fixed length, generously. */
const FIXED_BYTES = 128;

/** What amqplib does not show of its connections and channels (2.3.1). */
interface Connection {
  /** `buffer`: what amqplib itself has to send there, and has not given to the socket yet. */
  readonly channels: readonly ({ readonly channel: EventEmitter; readonly buffer: Duplex } | null | undefined)[];
  readonly frameMax: number;
  sentSinceLastCheck: boolean;
  sendMethod: (channel: number, method: number, fields: { deliveryTag: number; multiple: boolean }) => boolean;
  sendMessage: (channel: number, method: number, fields: object, class_: number, properties: object, body: unknown) => boolean;
}
interface Sending {
  readonly connection: { readonly frameMax: number };
  readonly sendMessage: (fields: object, properties: object, body: string | Buffer) => boolean;
}
interface Confirming {
  readonly pushConfirmCallback: (confirmed: (error: unknown) => void) => void;
}

/** Tells ours from what amqplib sends itself. */
class Publication {
  readonly message: RawMessage;

  constructor(message: RawMessage) {
    this.message = message;
  }
}

/**
 * Publishes as amqplib's channel does. False: the message is sent, but there is no room for more until the channel says `drain`.
 * Throws TypeError, RangeError when it cannot be encoded, and amqplib's IllegalOperationError when the channel is closed.
 */
export function publish(channel: Channel, message: RawMessage): boolean {
  const { exchange, routing_key, body, options } = message;
  if (isPlain(channel, message)) return send(channel, message);
  return channel.publish(exchange, routing_key, bytesOf(body), options);
}

/** The same, and `confirmed` is called when the broker has it, or with an error when it may not have it. */
export function publishConfirmed(channel: ConfirmChannel, message: RawMessage, confirmed: (error: unknown) => void): boolean {
  const { exchange, routing_key, body, options } = message;
  if (!isPlain(channel, message)) return channel.publish(exchange, routing_key, bytesOf(body), options, confirmed);
  const room = send(channel, message);
  (channel as unknown as Confirming).pushConfirmCallback(confirmed);
  return room;
}

function send(channel: Channel | ConfirmChannel, message: RawMessage): boolean {
  return (channel as unknown as Sending).sendMessage(new Publication(message), message.options, message.body);
}

function bytesOf(body: string | Buffer): Buffer {
  return typeof body === 'string' ? Buffer.from(body) : body;
}

/**
 * Makes the frames of messages and acknowledgements in one piece, and gives them to the socket once a turn. amqplib makes
 * five buffers for each message, each of them memory of its own, and passes it through two streams. What it sends itself
 * stays in order with them, on each channel. Its methods are replaced when a connection closes, and so are these.
 */
export function writeFramesAtOnce(model: ChannelModel): void {
  const connection = model.connection as unknown as Connection;
  const socket = socketOf(model);
  if (!socket || typeof connection.sendMessage !== 'function' || typeof connection.sendMethod !== 'function') {
    throw new TypeError('expected a connection of amqplib 2');
  }
  const full = new Set<number>();
  socket.on('drain', () => {
    const channels = [...full];
    full.clear();
    for (const channel of channels) connection.channels[channel]?.channel.emit('drain');
  });
  const frames = new Frames((bytes) => socket.write(bytes));
  /**
   * What amqplib has not given to the socket goes first, and nothing may come between the frames of a message. Returns
   * how many bytes of it there are.
   */
  const inOrder = (channel: number, add: () => void): number => {
    const buffer = connection.channels[channel]?.buffer;
    const before = buffer ? buffer.readableLength + buffer.writableLength : 0;
    if (before > 0) frames.flush();
    add();
    if (before > 0) frames.flush((bytes) => buffer?.write(bytes));
    connection.sentSinceLastCheck = true;
    return before;
  };
  const sendMessage = connection.sendMessage.bind(connection);
  const sendMethod = connection.sendMethod.bind(connection);
  connection.sendMessage = (channel, method, fields, class_, properties, body) => {
    if (!(fields instanceof Publication)) {
      frames.flush();
      return sendMessage(channel, method, fields, class_, properties, body);
    }
    const before = inOrder(channel, () => frames.publish(channel, fields.message));
    const room = before + socket.writableLength + frames.waiting < MAX_WAITING_BYTES;
    if (!room) full.add(channel);
    return room;
  };
  connection.sendMethod = (channel, method, fields) => {
    if (method !== BASIC_ACK) {
      frames.flush();
      return sendMethod(channel, method, fields);
    }
    inOrder(channel, () => frames.acknowledge(channel, fields.deliveryTag, fields.multiple));
    return true;
  };
}

/** Whether its body is one frame, and a small one, and its headers are such as `Frames` writes. */
function isPlain(channel: Channel | ConfirmChannel, { body, options: { headers } }: RawMessage): boolean {
  const { frameMax } = (channel as unknown as Sending).connection;
  const bytes = spaceForBody(body);
  if (bytes > MAX_MESSAGE_BYTES || (frameMax > 0 && bytes + FRAME_OVERHEAD > frameMax)) return false;
  for (const name in headers) {
    const value: unknown = headers[name];
    if (typeof value === 'string' ? value.length > 255 : !Number.isSafeInteger(value)) return false;
  }
  return true;
}

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
function spaceForBody(body: string | Buffer): number {
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
