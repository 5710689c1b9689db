import { Type } from 'typebox';
import { isJsonObject } from '../../model/json.ts';
import { ask, defineAction } from '../definition.ts';
import { field } from '../schema.ts';
import { joinConfbridge, makeConfbridge, makeFlow } from './bridge.ts';
import { idOrNil } from './shared.ts';
import { answerInvalid, askObject, request } from './sibling.ts';

export const agentCallAction = defineAction({
  type: 'agent_call',
  medium: 'rtc',
  by: 'manager',
  in_branch: false,
  option: Type.Object({ agent_id: field.id('The agent.') }),
  doc: 'Dials an agent and joins the caller with whichever of its devices answers. Old: use connect.',
  *decide({ activeflow, option }) {
    const agent = idOrNil(option.agent_id);
    const confbridge = yield* makeConfbridge(activeflow);
    // The agent sees who calls; the option has no source, so it is that of the caller's own call.
    const call = request('call', 'GET', `/v1/calls/${activeflow.reference_id}`);
    const { source } = yield* askObject(call);
    if (!isJsonObject(source)) throw answerInvalid(call, 'a call with its source', source);
    const join = joinConfbridge(confbridge);
    const flow_id = yield* makeFlow('agent_call', [join, { type: 'hangup' }]);
    yield* ask(
      request('agent', 'POST', `/v1/agents/${agent}/dial`, {
        source,
        flow_id,
        master_call_id: activeflow.reference_id,
      }),
    );
    return { kind: 'push', reason: `agent ${agent} to meet in confbridge ${confbridge}`, actions: [join] };
  },
});
