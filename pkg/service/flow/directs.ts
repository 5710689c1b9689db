import { unavailable } from '../../error/index.ts';
import type { Flow } from '../../model/flow.ts';
import { isSet, NIL } from '../../model/id.ts';
import { isJsonObject, type Json } from '../../model/json.ts';
import { type Context, hashId } from '../context.ts';

interface Direct {
  readonly direct_id: string;
  readonly direct_hash: string;
}

const NONE: Direct = { direct_id: NIL, direct_hash: '' };
const TIMEOUT_MS = 3_000;

/** The short address that direct-manager gives a flow. Best effort: without one a flow is a flow all the same. */
export class Directs {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  async create(flow: Flow): Promise<Direct> {
    const data = { customer_id: flow.customer_id, resource_type: 'flow', resource_id: flow.id };
    return this.#tolerate(
      flow,
      async () => toDirect(await this.#request('POST', '/v1/directs', `${flow.id}/direct`, data)),
      NONE,
    );
  }

  async remove(flow: Flow): Promise<void> {
    if (!isSet(flow.direct_id)) return;
    const uri = `/v1/directs/${flow.direct_id}`;
    await this.#tolerate(flow, () => this.#request('DELETE', uri, `${flow.id}/direct/delete`), null);
  }

  /** Throws UNAVAILABLE when direct-manager does not give a new one: that is all that was asked for. */
  async regenerate(flow: Flow, key: string): Promise<Direct> {
    const step = `${flow.id}/direct/regenerate/${key || flow.revision}`;
    const direct = toDirect(await this.#request('POST', `/v1/directs/${flow.direct_id}/regenerate`, step));
    if (direct === NONE) throw unavailable('SIBLING_ANSWER_INVALID', 'direct-manager answered without an id and a hash');
    return direct;
  }

  #request(method: string, uri: string, step: string, data?: Json): Promise<Json> {
    return this.#context.siblings.request({
      to: 'direct',
      method,
      uri,
      ...(data === undefined ? {} : { data }),
      request_id: hashId(step),
      timeout_ms: TIMEOUT_MS,
    });
  }

  async #tolerate<T>(flow: Flow, work: () => Promise<T>, otherwise: T): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.#context.log.warn(
        { flow_id: flow.id, customer_id: flow.customer_id, error: String(error) },
        'direct-manager did not help',
      );
      return otherwise;
    }
  }
}

function toDirect(answer: Json): Direct {
  if (!isJsonObject(answer)) return NONE;
  const { id, hash } = answer;
  return typeof id === 'string' && typeof hash === 'string' ? { direct_id: id, direct_hash: hash } : NONE;
}
