import { Type } from 'typebox';
import { exhausted } from '../../error/index.ts';
import type { User } from '../../model/user.ts';
import { channelOf } from '../../service/push/channel.ts';
import type { Subscribe } from '../../service/push/hub.ts';
import type { Service } from '../../service/service.ts';
import { type Alarm, at, SYSTEM_ALARM } from '../push/alarm.ts';
import { type Connection, SLOW_MS } from '../push/connection.ts';
import { readPlace } from '../push/place.ts';
import { overSse } from '../push/sse.ts';
import { overWebSocket } from '../push/websocket.ts';
import { type GatewayRoute, gatewayRoute } from '../route.ts';

const MOST_CALLS = 100;
const EventId = (description: string) => Type.Optional(Type.String({ maxLength: 64, description }));

/** What is pushed to a user's browser: events of its own channel, over server-sent events or a WebSocket. */
export function eventRoutes(service: Pick<Service, 'push' | 'context'>, alarm: Alarm = SYSTEM_ALARM): GatewayRoute[] {
  const { push, context } = service;
  return [
    gatewayRoute({
      method: 'GET',
      path: '/v1/events',
      summary: 'Responses to calls of workflows, as they come: server-sent events, or a WebSocket',
      access: 'user',
      token_in_query: true,
      upgrade: true,
      query: Type.Object({
        workflow_call: Type.Optional(
          Type.Array(Type.String({ format: 'uuid' }), {
            maxItems: MOST_CALLS,
            description: 'Only of these calls, those included whose response has come already.',
          }),
        ),
        last_event_id: EventId('As the header, for who cannot set one.'),
      }),
      headers: Type.Object({ 'last-event-id': EventId('Goes on after this event; 0: from the oldest that is kept.') }),
      answers: {
        200: { description: 'A stream of events (text/event-stream), each {id, name, data}.' },
        101: { description: 'A WebSocket with a message for each event.' },
        429: { description: 'Too many connections are open.' },
      },
      handler: async ({ query, headers, user, upgrade }) => {
        const wanted = subscriptionOf(user, query.workflow_call, headers['last-event-id'], query.last_event_id);
        const full = push.full(wanted.owner);
        if (full !== undefined) {
          context.meter.add('push_dropped_total', { reason: 'too_many' });
          throw exhausted('TOO_MANY_CONNECTIONS', full);
        }
        const visit = { wanted, until: user.expires_at };
        if (upgrade) {
          return {
            upgrade: (request, socket, head, closing) =>
              overWebSocket(request, socket, head, (connection) => feed({ service, alarm }, visit, connection, closing)),
          };
        }
        return { stream: (response, closing) => feed({ service, alarm }, visit, overSse(response), closing) };
      },
    }),
  ];
}

function subscriptionOf(
  { customer_id, id }: User,
  calls: readonly string[] | undefined,
  header: string | undefined,
  query: string | undefined,
): Subscribe {
  const place = header ? readPlace('last-event-id', header) : query ? readPlace('last_event_id', query) : undefined;
  const named = calls === undefined ? undefined : new Set(calls.map((call) => call.toLowerCase()));
  // Who asks for certain calls made them already: their responses may be there.
  return { owner: channelOf({ customer_id, user_id: id }), after: place ?? (named ? 0 : undefined), calls: named };
}

interface Visit {
  readonly wanted: Subscribe;
  /** When the token that it was begun with is over, in ms. */
  readonly until: number;
}

/** Connects a tab to its channel, until either of them ends, its token is over or the daemon stops. */
function feed(
  { service: { push, context }, alarm }: { readonly service: Pick<Service, 'push' | 'context'>; readonly alarm: Alarm },
  { wanted, until }: Visit,
  connection: Connection,
  closing: AbortSignal,
): void {
  let open = true;
  let leave = (): void => undefined;
  const end = (why: 'leaving' | 'expired'): void => {
    close();
    connection.end(why);
    // Who takes nothing does not take an end either.
    connection.onClose(alarm.after(SLOW_MS, () => connection.drop()));
  };
  const onClosing = (): void => end('leaving');
  const callOff = at(until, alarm, () => end('expired'));
  const close = (): void => {
    if (!open) return;
    open = false;
    leave();
    callOff();
    closing.removeEventListener('abort', onClosing);
  };
  connection.onClose(close);
  closing.addEventListener('abort', onClosing);
  const sink: Connection['sink'] = {
    async send(event) {
      if (!open) return false;
      if (await connection.sink.send(event)) return true;
      if (open) context.meter.add('push_dropped_total', { reason: 'slow' });
      connection.drop();
      return false;
    },
  };
  push.subscribe(wanted, sink).then(
    (unsubscribe) => {
      leave = unsubscribe;
      if (!open) unsubscribe();
    },
    (error: unknown) => {
      context.log.warn(
        { error: String(error), protocol: connection.protocol },
        'a connection of the push channel could not be served',
      );
      connection.drop();
    },
  );
}
