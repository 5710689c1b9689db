import { type Channel, connect } from 'amqplib';

/** The body of an answer, read. */
export interface Answer {
  readonly status_code: number;
  readonly data?: unknown;
}

interface Pending {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
  readonly since: number;
}

const REPLY_QUEUE = 'amq.rabbitmq.reply-to';
const TIMEOUT_MS = 15_000;

/** Asks as a sibling does: direct reply-to, one connection, one channel, no Nagle. */
export class RpcClient {
  readonly #pending = new Map<string, Pending>();
  #channel: Channel | undefined;
  #count = 0;

  async connect(url: string): Promise<void> {
    const model = await connect(url, { noDelay: true, clientProperties: { connection_name: 'bench callers' } });
    this.#channel = await model.createChannel();
    const answered = (id: unknown, body: Buffer): void => {
      const pending = this.#pending.get(String(id));
      if (!pending) return;
      this.#pending.delete(String(id));
      pending.resolve(JSON.parse(body.toString()) as Answer);
    };
    await this.#channel.consume(
      REPLY_QUEUE,
      (message) => message && answered(message.properties.correlationId, message.content),
      {
        noAck: true,
      },
    );
    setInterval(() => this.#expire(), 1_000).unref();
  }

  request(queue: string, body: string): Promise<Answer> {
    const channel = this.#channel;
    if (!channel) throw new Error('not connected');
    const id = (++this.#count).toString(36);
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject, since: performance.now() });
      channel.publish('', queue, Buffer.from(body), {
        replyTo: REPLY_QUEUE,
        correlationId: id,
        contentType: 'application/json',
        persistent: false,
      });
    });
  }

  /** Sends an envelope; throws when the answer is an error. */
  async call(queue: string, method: string, uri: string, data: object): Promise<unknown> {
    const body = { uri, method, data_type: 'application/json', data, publisher: 'call-manager' };
    const answer = await this.request(queue, JSON.stringify(body));
    if (answer.status_code === 200) return answer.data;
    throw new Error(`${method} ${uri}: ${answer.status_code} ${JSON.stringify(answer.data)}`);
  }

  #expire(): void {
    const limit = performance.now() - TIMEOUT_MS;
    for (const [id, pending] of this.#pending) {
      if (pending.since > limit) return;
      this.#pending.delete(id);
      pending.reject(new Error(`no answer within ${TIMEOUT_MS} ms`));
    }
  }
}
