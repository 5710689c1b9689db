/** The endpoint of a customer: remembers what came in, and answers as a test says. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

export interface Notification {
  readonly tenantId: string;
  readonly referenceId?: string;
  readonly transactionId: string;
  readonly notificationType: string;
  readonly payLoad: Readonly<Record<string, unknown>>;
  readonly timestamp: string;
  readonly sequence: number;
  readonly missing?: readonly number[];
  readonly [other: string]: unknown;
}

export interface Received {
  readonly id: string;
  readonly path: string;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: Notification;
}

export class WebhookReceiver {
  readonly #server: Server;
  readonly received: Received[] = [];
  #waiting: (() => void)[] = [];
  /** What one is answered with; default 200. It may destroy the socket. */
  answer: (response: ServerResponse, received: Received) => void = (response) => response.end('{"code":"SUCCESS"}');

  private constructor() {
    this.#server = createServer((request, response) => void this.#take(request, response));
  }

  static async start(): Promise<WebhookReceiver> {
    const receiver = new WebhookReceiver();
    await new Promise<void>((done) => receiver.#server.listen(0, '127.0.0.1', done));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What came by one path, in order. */
  of(path: string): Received[] {
    return this.received.filter((one) => one.path === path);
  }

  /** Resolves when it holds; looked at whenever something has come in. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request as AsyncIterable<Uint8Array>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const { method = '', url = '', headers } = request;
    const id = String(headers['webhook-id']);
    const received = { id, path: url, method, headers, text, body: JSON.parse(text) as Notification };
    this.received.push(received);
    this.answer(response, received);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Throws unless it is as it was signed with the secret, as any receiver would check it. */
export function verify({ headers, text }: Received, secret: string): void {
  new Webhook(secret).verify(text, headers as Record<string, string>);
}
