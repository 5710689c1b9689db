import type { Server } from 'node:http';
import type { Socket } from 'node:net';

const SWEEP_MS = 20;

/**
 * Ends connections on which nothing is under way while a server closes. node does so once, but a connection whose
 * answer is under way then is idle only later; and one that was opened ahead of its first request, as browsers do,
 * never counts as idle.
 */
export class Drain {
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      this.#open.add(socket);
      socket.once('close', () => this.#open.delete(socket));
    });
  }

  /** Until `closed` is settled. */
  async during(closed: Promise<unknown>): Promise<void> {
    const sweep = setInterval(() => {
      this.#server.closeIdleConnections();
      for (const socket of this.#open) if (socket.bytesRead === 0) socket.destroy();
    }, SWEEP_MS);
    await closed.finally(() => clearInterval(sweep));
  }
}
