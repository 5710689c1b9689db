import { randomUUID } from 'node:crypto';
import { connect } from 'amqplib';
import { deadLetterQueue } from '../../pkg/bus/index.ts';

/** Makes names that no other run uses, and removes from a shared broker afterwards what was made under them. */
export class Cleaner {
  readonly #broker: (() => Promise<string>) | undefined;
  readonly #queues: string[] = [];
  readonly #exchanges: string[] = [];

  /** Without a broker there is nothing to remove. */
  constructor(broker: (() => Promise<string>) | undefined) {
    this.#broker = broker;
  }

  queue(prefix: string): string {
    const name = `${prefix}.${randomUUID()}`;
    this.#queues.push(name, deadLetterQueue(name));
    return name;
  }

  exchange(prefix: string): string {
    const name = `${prefix}.${randomUUID()}`;
    this.#exchanges.push(name);
    this.#queues.push(`${name}.stored`, deadLetterQueue(`${name}.stored`));
    return name;
  }

  async clean(): Promise<void> {
    if (!this.#broker) return;
    const connection = await connect(await this.#broker());
    const channel = await connection.createChannel();
    // Deleting what is not there is no error to RabbitMQ.
    for (const queue of this.#queues) await channel.deleteQueue(queue);
    for (const exchange of this.#exchanges) await channel.deleteExchange(exchange);
    await connection.close();
  }
}
