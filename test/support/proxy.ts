/**
 * A TCP proxy that misbehaves on demand, between a client under test and its server.
 *
 * @example
 * const proxy = await TcpProxy.to('amqp://guest:guest@localhost:5672');
 * connect(proxy.url);
 * proxy.reset(); // every connection dies with RST
 */
import { createServer, connect as dial, type Server, type Socket } from 'node:net';

export class TcpProxy {
  readonly #target: { readonly host: string; readonly port: number };
  readonly #sockets = new Set<Socket>();
  readonly #url: URL;
  #server: Server;
  #silent = false;

  private constructor(target: URL) {
    this.#target = { host: target.hostname.replace(/^\[|\]$/g, ''), port: Number(target.port) };
    this.#url = new URL(target);
    this.#server = createServer();
  }

  /** `target`: a URL with a port, or `host:port`. */
  static async to(target: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(new URL(target.includes('://') ? target : `tcp://${target}`));
    await proxy.#listen(0);
    return proxy;
  }

  /** The target's URL with the proxy's address. */
  get url(): string {
    return this.#url.href;
  }

  /** `host:port` of the proxy. */
  get address(): string {
    return this.#url.host;
  }

  /** Connections of clients that are open at this moment. */
  get connections(): number {
    return this.#sockets.size / 2;
  }

  /** Kills every open connection with RST; new ones are taken. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
    this.#sockets.clear();
  }

  /** True: nothing that is sent arrives, in either direction, and connections stay open; new ones too. False: goes on. */
  blackhole(silent: boolean): void {
    this.#silent = silent;
    for (const socket of this.#sockets) {
      if (silent) socket.pause();
      else socket.resume();
    }
  }

  /** Kills every connection and refuses new ones, until `up()`. */
  async down(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.reset();
    await closed;
  }

  /** Takes connections again, at the same address. */
  async up(): Promise<void> {
    await this.#listen(Number(this.#url.port));
  }

  async close(): Promise<void> {
    if (this.#server.listening) await this.down();
  }

  async #listen(port: number): Promise<void> {
    this.#server = createServer({ noDelay: true }, (client) => this.#join(client));
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', resolve);
    });
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
    this.#url.hostname = '127.0.0.1';
    this.#url.port = String(address.port);
  }

  #join(client: Socket): void {
    const server = dial({ ...this.#target, noDelay: true });
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from);
      // By hand: pipe() would resume what blackhole() has paused.
      from.on('data', (chunk) => to.write(chunk));
      from.on('end', () => to.end());
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      if (this.#silent) from.pause();
    }
  }
}
