import type { Service } from '../../service/service.ts';
import type { GatewayRoute } from '../route.ts';
import { callbackRoutes } from './callbacks.ts';
import { eventRoutes } from './events.ts';
import { executionRoutes } from './executions.ts';
import { participantRoutes } from './participants.ts';
import { subscriptionRoutes } from './subscriptions.ts';
import { workflowRoutes } from './workflows.ts';

/** A file for each area: `(service) => GatewayRoute[]`. */
const AREAS: readonly ((service: Service) => readonly GatewayRoute[])[] = [
  callbackRoutes,
  eventRoutes,
  executionRoutes,
  participantRoutes,
  subscriptionRoutes,
  workflowRoutes,
];

/** Every route of the gateway. */
export function gatewayRoutes(service: Service): GatewayRoute[] {
  return AREAS.flatMap((routes) => routes(service));
}
