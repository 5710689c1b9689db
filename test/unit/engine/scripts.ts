/** What siblings answer in the cases: lists that are fetched, queues that are joined. */
import type { Effect, EffectAnswer } from '../../../pkg/action/definition.ts';
import { isJsonObject, type Json } from '../../../pkg/model/json.ts';
import { ok, refused } from '../../support/drive.ts';
import { id, labelOf } from '../../support/engine_flow.ts';

type Script = (effect: Effect) => EffectAnswer | undefined;

/** Lists by the path of their address; `DOWN` for an address that fails. */
export function fetched(lists: { readonly [path: string]: readonly object[] | 'DOWN' }): Script {
  return (effect) => {
    if (effect.kind !== 'fetch') return undefined;
    const list = lists[effect.url.slice('https://flows/'.length)];
    if (list === undefined || list === 'DOWN') return refused('DOWN');
    return ok({ status: 200, body: list as unknown as Json });
  };
}

/** A queue that answers with the queuecall `qc` and these actions; `others`: other lists by the label of the queue. */
export function joined(actions: readonly object[], others: { readonly [queue: string]: readonly object[] } = {}): Script {
  return (effect) => {
    if (effect.kind !== 'request' || effect.uri !== '/v1/services/type/queuecall') return undefined;
    const queue = isJsonObject(effect.data) ? labelOf(String(effect.data.queue_id)) : '';
    return ok({ id: id('qc'), push_actions: (others[queue] ?? actions) as unknown as Json });
  };
}

/** The first script that knows an answer. */
export function either(...scripts: readonly Script[]): Script {
  return (effect) => {
    for (const script of scripts) {
      const answer = script(effect);
      if (answer) return answer;
    }
    return undefined;
  };
}

/** Fails whatever is asked at addresses that match. */
export function failing(pattern: RegExp, reason = 'DOWN'): Script {
  return (effect) =>
    pattern.test(effect.kind === 'request' ? `${effect.to} ${effect.uri}` : effect.kind) ? refused(reason) : undefined;
}
