import { isJsonObject } from '../../pkg/model/json.ts';
import type { Bus } from '../../pkg/service/ports.ts';
import type { LostAnswer, RpcClient } from './client.ts';
import { askUntilAnswered, type World } from './persist.ts';
import type { HangUp } from './simulator.ts';

const CALL_EVENTS = 'bin-manager.call-manager.event';
/** An event is not answered; after this the activeflow is stopped by request. */
const EVENT_WORKS_WITHIN_MS = 3_000;
const LOOK_AGAIN_MS = 50;

interface Hands {
  readonly client: RpcClient;
  readonly world: World;
  readonly onRepeat: (error: LostAnswer) => void;
}

/** Stops the activeflow by request. Stopping an ended one changes nothing. */
export function hangUpByRequest(hands: Hands): HangUp {
  return async ({ activeflow_id }) => {
    await askUntilAnswered(hands.client, { method: 'POST', uri: `/v1/activeflows/${activeflow_id}/stop` }, hands);
  };
}

/** As call-manager does: says that the call has hung up, and leaves it to the daemon to stop what belongs to it. */
export function hangUpByEvent(bus: Pick<Bus, 'declareExchange' | 'publish'>, hands: Hands): HangUp {
  return async (call) => {
    const data = { id: call.id, activeflow_id: call.activeflow_id, status: 'hangup' };
    const event = { type: 'call_hangup', publisher: 'call-manager', data_type: 'application/json', data };
    await bus.declareExchange(CALL_EVENTS);
    const message = {
      exchange: CALL_EVENTS,
      routing_key: event.type,
      body: JSON.stringify(event),
      message_id: hands.world.newId(),
    };
    await bus.publish([message]);
    const until = hands.world.now() + EVENT_WORKS_WITHIN_MS;
    while (hands.world.now() < until) {
      const activeflow = await askUntilAnswered(
        hands.client,
        { method: 'GET', uri: `/v1/activeflows/${call.activeflow_id}` },
        hands,
      );
      if (isJsonObject(activeflow) && activeflow.status === 'ended') return;
      await hands.world.sleep(LOOK_AGAIN_MS);
    }
    await hangUpByRequest(hands)(call);
  };
}
