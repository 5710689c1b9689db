import { type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { answerSocket } from './failures.ts';

/**
 * Connections that outlive their request: server-sent events and WebSockets. They are told when the daemon stops,
 * and those that do not end by themselves are cut, so that no open browser tab holds up the drain.
 */
export class Streams {
  readonly #closing = new AbortController();
  readonly #open = new Set<Duplex>();
  readonly #upgrades = new WeakMap<IncomingMessage, { readonly head: Buffer }>();
  #empty: (() => void) | undefined;

  /** Aborted when the daemon stops. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  track(socket: Duplex): void {
    if (this.#open.has(socket)) return;
    this.#open.add(socket);
    socket.once('close', () => {
      this.#open.delete(socket);
      if (this.#open.size === 0) this.#empty?.();
    });
  }

  /** Sends requests for another protocol through `lookup`, as any other request: same routes, users and errors. */
  takeUpgrades(server: Server, lookup: (request: IncomingMessage, response: ServerResponse) => void): void {
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on('error', () => socket.destroy());
      if (request.method !== 'GET') return answerSocket(socket, 400, 'method: expected GET with Upgrade');
      const response = new ServerResponse(request);
      response.shouldKeepAlive = false;
      response.assignSocket(socket as never);
      response.once('finish', () => socket.end());
      this.#upgrades.set(request, { head });
      lookup(request, response);
    });
  }

  /** Undefined: a request like any other. */
  upgradeOf(request: IncomingMessage): { readonly head: Buffer } | undefined {
    return this.#upgrades.get(request);
  }

  /** Resolves when all have ended, after `grace_ms` at most. */
  async close(grace_ms: number): Promise<void> {
    this.#closing.abort(new Error('the gateway is closing'));
    if (this.#open.size === 0) return;
    const ended = new Promise<void>((resolve) => {
      this.#empty = resolve;
    });
    const cut = setTimeout(() => {
      for (const socket of this.#open) socket.destroy();
    }, grace_ms);
    await ended;
    clearTimeout(cut);
  }
}
