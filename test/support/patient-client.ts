/** A caller as dependable services are: asks again, under the same request key, until it has an answer. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Response } from '../../pkg/rpc/envelope.ts';
import { type Bus, BusError } from '../../pkg/service/ports.ts';
import type { Send } from './caller.ts';

export interface Patience {
  /** How long one try is waited for; then the same is asked again. */
  readonly try_ms: number;
  /** After this the test has failed. */
  readonly whole_ms: number;
}

const PATIENCE: Patience = { try_ms: 2_500, whole_ms: 60_000 };
const PAUSE_MS = 50;
/** Answers that say: come again. */
const RETRYABLE = new Set([429, 503]);

export class PatientClient {
  /** Tries that were not the first. */
  repeats = 0;
  /** Answers that said: come again. */
  readonly refused: Response[] = [];
  readonly #bus: Pick<Bus, 'request'>;
  readonly #queue: string;
  readonly #patience: Patience;

  constructor(bus: Pick<Bus, 'request'>, queue: string, patience: Partial<Patience> = {}) {
    this.#bus = bus;
    this.#queue = queue;
    this.#patience = { ...PATIENCE, ...patience };
  }

  readonly send: Send = async (text) => {
    const end = performance.now() + this.#patience.whole_ms;
    // Without a request_id in the envelope the message's own id is the key, so it must stay the same too.
    const message_id = randomUUID();
    for (let last = ''; ; this.repeats += 1) {
      const answer = await this.once(text, message_id);
      if (typeof answer !== 'string' && !RETRYABLE.has(answer.status_code)) return answer;
      last = typeof answer === 'string' ? answer : JSON.stringify(answer);
      if (typeof answer !== 'string') this.refused.push(answer);
      if (performance.now() > end) throw new Error(`no answer within ${this.#patience.whole_ms} ms (${last}) to ${text}`);
      await sleep(PAUSE_MS);
    }
  };

  /** One try; a text says why there was no answer. */
  async once(text: string, message_id: string): Promise<Response | string> {
    try {
      const body = await this.#bus.request(this.#queue, text, { timeout_ms: this.#patience.try_ms, message_id });
      return JSON.parse(Buffer.from(body).toString()) as Response;
    } catch (error) {
      if (error instanceof BusError) return error.message;
      throw error;
    }
  }
}
