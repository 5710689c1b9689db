/**
 * All other managers as ones that drop repeated requests: what is asked again under the same `request_id` gets the
 * answer that it got and has no effect. Counts the effects, by the ids that a request names.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { answerAsSibling, SIBLINGS } from '../../cmd/control/sandbox.ts';
import type { Json } from '../../pkg/model/json.ts';
import type { Asked, Reply, ScriptedSiblings } from './siblings.ts';

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

export class Oracle {
  /** How long the next answer takes, in ms. */
  delay: () => number = () => 0;
  /** Requests that came again. */
  repeats = 0;
  /** Effects that there were, all in all. */
  total = 0;
  readonly #answers = new Map<string, Promise<Reply>>();
  readonly #effects = new Map<string, string[]>();
  /** Ids that an answer gave out → ids of what had asked. */
  readonly #given = new Map<string, readonly string[]>();

  attach(siblings: ScriptedSiblings): void {
    for (const name of SIBLINGS) siblings.script(name, (asked) => this.#answer(asked));
  }

  /** What was done for an activeflow, in order: `message /v1/messages m1`. */
  effectsOf(id: string): readonly string[] {
    return this.#effects.get(id) ?? [];
  }

  #answer(asked: Asked): Promise<Reply> {
    // Nobody waits for these, and each event has one: tests of events look at them.
    if (asked.uri === '/v1/webhooks') return Promise.resolve('silent');
    const known = this.#answers.get(asked.request_id);
    if (known) this.repeats += 1;
    const answer = known ?? this.#do(asked);
    this.#answers.set(asked.request_id, answer);
    return answer;
  }

  async #do(asked: Asked): Promise<Reply> {
    const named = (`${asked.uri} ${JSON.stringify(asked.data)}`.match(UUID) ?? []).map(String);
    const about = new Set([...named, ...named.flatMap((id) => this.#given.get(id) ?? [])]);
    this.total += 1;
    for (const id of about) {
      const effects = this.#effects.get(id) ?? [];
      effects.push(labelOf(asked));
      this.#effects.set(id, effects);
    }
    const ms = this.delay();
    if (ms > 0) await sleep(ms);
    const answer = service(asked) ?? answerAsSibling(asked.to, asked).data;
    const id = typeof answer === 'object' && answer !== null && 'id' in answer ? answer.id : undefined;
    if (typeof id === 'string') this.#given.set(id, [...about]);
    return { data: answer };
  }
}

/** A queue that plays something to who waits. */
function service({ to, uri }: Asked): Json | undefined {
  if (to !== 'queue' || !uri.endsWith('/queuecall')) return undefined;
  return { id: randomUUID(), type: 'queuecall', push_actions: [{ id: randomUUID(), type: 'talk', option: { text: 'queued' } }] };
}

/** Texts of the tests' messages end in `/<label>`. */
function labelOf({ to, uri, data }: Asked): string {
  const label = /\/(\w+)$/.exec(String(data.text ?? data.subject ?? ''))?.[1];
  const path = uri.replace(UUID, '*');
  return label === undefined ? `${to} ${path}` : `${to} ${path} ${label}`;
}
