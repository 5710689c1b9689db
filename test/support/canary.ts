import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A web server that counts what reaches it, on every address of this machine that `host` covers. */
export class Canary {
  readonly #server: Server;
  connections = 0;
  readonly requests: {
    readonly method: string;
    readonly path: string;
    readonly headers: IncomingMessage['headers'];
    readonly body: string;
  }[] = [];
  /** What a request is answered with, once its body is read. */
  answer: (response: ServerResponse) => void = (response) => response.end('{"ok":true}');

  private constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#server.on('connection', () => {
      this.connections += 1;
    });
  }

  static async start(host = '127.0.0.1'): Promise<Canary> {
    const canary = new Canary();
    await new Promise<void>((done, fail) => {
      canary.#server.once('error', fail);
      canary.#server.listen(0, host, done);
    });
    return canary;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request as AsyncIterable<Uint8Array>) chunks.push(chunk);
    const { method = '', url = '', headers } = request;
    this.requests.push({ method, path: url, headers, body: Buffer.concat(chunks).toString() });
    this.answer(response);
  }
}
