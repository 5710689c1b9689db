import { toFlowError } from '../../error/index.ts';
import type { Activeflow } from '../../model/activeflow.ts';
import { isJsonObject, type Json } from '../../model/json.ts';
import { type Context, hashId } from '../context.ts';

/** lost: the call is over; alive: it is not; silent: its service does not say. */
export interface Found {
  readonly outcome: 'lost' | 'alive' | 'silent';
  readonly why: string;
}

/** Lookups under way at the same time: after hours without a daemon, many calls are due at once. */
const AT_ONCE = 50;
const TIMEOUT_MS = 3_000;

/** Asks call-manager whether the call of an activeflow is still there. */
export class CallerLookup {
  readonly #context: Context;
  #underWay = 0;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Undefined: too many are looked up already. */
  async look(row: Activeflow): Promise<Found | undefined> {
    if (this.#underWay >= AT_ONCE) return undefined;
    this.#underWay += 1;
    try {
      const found = await this.#ask(row);
      this.#context.meter.add('caller_lookup_total', { outcome: found.outcome });
      return found;
    } finally {
      this.#underWay -= 1;
    }
  }

  async #ask(row: Activeflow): Promise<Found> {
    const { siblings, clock } = this.#context;
    try {
      const call = await siblings.request({
        to: 'call',
        method: 'GET',
        uri: `/v1/calls/${row.reference_id}`,
        request_id: hashId(`${row.id}/caller/${row.state.look_at}`),
        timeout_ms: TIMEOUT_MS,
      });
      return judge(call, clock.now());
    } catch (thrown) {
      const error = toFlowError(thrown);
      const said = error.details[0]?.value as Json | undefined;
      const gone = error.reason === 'SIBLING_FAILED' && isJsonObject(said) && said.status_code === 404;
      return gone ? { outcome: 'lost', why: 'call-manager has no such call' } : { outcome: 'silent', why: error.message };
    }
  }
}

/** Some siblings write a time far ahead where none is set. */
function judge(call: Json, now: number): Found {
  if (!isJsonObject(call)) return { outcome: 'silent', why: 'its answer is no call' };
  if (call.status === 'hangup') return { outcome: 'lost', why: 'it has hung up' };
  const deleted = typeof call.tm_delete === 'string' && Date.parse(call.tm_delete) <= now;
  return deleted ? { outcome: 'lost', why: 'it is deleted' } : { outcome: 'alive', why: `its status is ${call.status}` };
}
