import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Channel, ChannelModel, ConfirmChannel } from 'amqplib';
import { BASIC_ACK, Frames, MOST_BYTES, type RawMessage, spaceForBody } from './frames.ts';
import { socketOf } from './socket.ts';

/** What may wait in the socket before those who publish are held back. */
const MAX_WAITING_BYTES = 1024 * 1024;
const FRAME_OVERHEAD = 8;

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
  if (bytes > MOST_BYTES || (frameMax > 0 && bytes + FRAME_OVERHEAD > frameMax)) return false;
  for (const name in headers) {
    const value: unknown = headers[name];
    if (typeof value === 'string' ? value.length > 255 : !Number.isSafeInteger(value)) return false;
  }
  return true;
}
