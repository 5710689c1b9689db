/**
 * A proxy in front of RabbitMQ that understands what passes: it can cut a connection right before or right after one
 * message, answer, acknowledgement or confirm, which a proxy of bytes cannot aim at.
 *
 * @example
 * const proxy = await AmqpProxy.to(servers.amqp);
 * connect(proxy.url);
 * proxy.watch = (unit) => (unit.kind === 'deliver' ? 'cut before' : 'pass');
 */
import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { AmqpReader, type Unit } from './amqp-reader.ts';

/** cut before: it does not arrive, and the connection is reset; cut after: it arrives, and then the same. */
export type Verdict = 'pass' | 'cut before' | 'cut after';
export type Watch = (unit: Unit) => Verdict;

export class AmqpProxy {
  watch: Watch = () => 'pass';
  readonly #target: URL;
  readonly #url: URL;
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  private constructor(target: string) {
    this.#target = new URL(target);
    this.#url = new URL(target);
    this.#server = createServer({ noDelay: true }, (client) => this.#join(client));
  }

  static async to(target: string): Promise<AmqpProxy> {
    const proxy = new AmqpProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    const address = proxy.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
    proxy.#url.hostname = '127.0.0.1';
    proxy.#url.port = String(address.port);
    return proxy;
  }

  get url(): string {
    return this.#url.href;
  }

  /** Kills every connection with RST; new ones are taken. */
  reset(): void {
    for (const socket of this.#open) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.reset();
    await closed;
  }

  #join(client: Socket): void {
    const broker = dial({ host: this.#target.hostname, port: Number(this.#target.port || 5672), noDelay: true });
    this.#pass('client', client, broker);
    this.#pass('broker', broker, client);
  }

  #pass(from: Unit['from'], source: Socket, target: Socket): void {
    this.#open.add(source);
    const reader = new AmqpReader(from, (unit) => {
      if (source.destroyed) return;
      const verdict = this.watch(unit);
      if (verdict !== 'cut before') target.write(unit.bytes);
      if (verdict === 'pass') return;
      // The end that shall still get it is closed in an orderly way: a reset would overtake what is not read yet.
      target.end();
      source.resetAndDestroy();
    });
    source.on('data', (chunk) => reader.read(chunk));
    source.on('end', () => target.end());
    source.on('error', () => target.destroy());
    source.on('close', () => {
      this.#open.delete(source);
      if (!target.writableEnded) target.destroy();
    });
  }
}
