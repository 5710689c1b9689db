import type { Json } from '../../pkg/model/json.ts';
import type { Bus, OutgoingMessage, Serving } from '../../pkg/service/ports.ts';

interface AskedRequest {
  readonly queue: string;
  readonly body: Json;
  readonly timeout_ms: number;
  readonly message_id: string;
}

/** A bus that only asks and publishes; `answer` says what each request is answered with, or throws. */
export class FakeBus implements Bus {
  readonly asked: AskedRequest[] = [];
  readonly published: OutgoingMessage[] = [];
  answer: (asked: AskedRequest) => unknown = () => ({ status_code: 200 });
  publishFails: Error | undefined;

  async request(queue: string, body: string, options: { timeout_ms: number; message_id: string }): Promise<Uint8Array> {
    const asked = { queue, body: JSON.parse(body) as Json, ...options };
    this.asked.push(asked);
    const answer = await this.answer(asked);
    return Buffer.from(typeof answer === 'string' ? answer : JSON.stringify(answer));
  }

  async publish(messages: readonly OutgoingMessage[]): Promise<void> {
    if (this.publishFails) throw this.publishFails;
    this.published.push(...messages);
  }

  async serve(): Promise<Serving> {
    throw new Error('this bus serves nothing');
  }

  async delay(): Promise<void> {
    throw new Error('this bus delays nothing');
  }

  async declareExchange(): Promise<void> {}
  async check(): Promise<void> {}
  async close(): Promise<void> {}
}
