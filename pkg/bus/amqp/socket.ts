import { Duplex } from 'node:stream';
import type { ChannelModel } from 'amqplib';

/** The socket is not part of amqplib's types; nothing else can end a connection whose peer is silent. */
export function socketOf(model: ChannelModel): Duplex | undefined {
  const stream: unknown = Reflect.get(model.connection, 'stream');
  return stream instanceof Duplex ? stream : undefined;
}

/**
 * Writes what is written within one turn in one go. amqplib writes each message and each acknowledgement by itself;
 * with noDelay that is a system call and a packet for each. Of an echo service at 100 callers this takes 28 % of the
 * processor time (30,000 requests: 1.68 s without, 1.21 s with; system time 0.54 s and 0.13 s), and a lone caller
 * waits no longer, as the turn ends before anything else happens.
 */
export function joinWrites(socket: Duplex): void {
  const write: unknown = socket.write;
  if (typeof write !== 'function') return;
  let corked = false;
  const uncork = () => {
    corked = false;
    socket.uncork();
  };
  const joined = (...args: unknown[]): unknown => {
    if (!corked) {
      corked = true;
      socket.cork();
      process.nextTick(uncork);
    }
    return Reflect.apply(write, socket, args);
  };
  Object.defineProperty(socket, 'write', { value: joined, configurable: true, writable: true });
}

/** After a missed heartbeat amqplib ends the socket politely, which a silent peer never answers. */
export function cutLater(socket: Duplex): void {
  setTimeout(() => socket.destroy(), 1_000).unref();
}
