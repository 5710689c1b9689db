import { randomUUID } from 'node:crypto';
import { isJsonObject, type Json, type JsonObject } from '../../pkg/model/json.ts';

/** The other managers of the platform; each serves `bin-manager.<name>-manager.request`. */
export const SIBLINGS = [
  'agent',
  'ai',
  'billing',
  'call',
  'campaign',
  'conference',
  'contact',
  'conversation',
  'customer',
  'direct',
  'email',
  'message',
  'queue',
  'transcribe',
  'webhook',
] as const;
export type SiblingName = (typeof SIBLINGS)[number];

export function siblingQueue(name: string): string {
  return `bin-manager.${name}-manager.request`;
}

export interface SandboxRequest {
  readonly method: string;
  readonly uri: string;
  readonly data?: Json | undefined;
}

export interface SandboxResponse {
  readonly status_code: number;
  readonly data_type: string;
  readonly data: Json;
}

interface Asked {
  /** Last part of the path that names a resource: `/v1/calls/{this}/digits`. */
  readonly id: string;
  readonly data: JsonObject;
  readonly newId: () => string;
}

/** Sibling, method, path, answer. The first match counts; what matches nothing is answered with a new id. */
type Rule = readonly [SiblingName, string, RegExp, (asked: Asked) => Json];

const CALLER = { type: 'tel', target: '+12025550123', target_name: 'Sam Caller' };
const CALLED = { type: 'tel', target: '+12025550100', target_name: '' };

const RULES: readonly Rule[] = [
  [
    'direct',
    'POST',
    /^\/v1\/directs(\/[^/]+\/regenerate)?$/,
    ({ newId }) => ({ id: newId(), hash: `direct.${newId().replaceAll('-', '').slice(0, 12)}` }),
  ],

  ['call', 'GET', /^\/v1\/calls\/([^/]+)\/digits$/, () => ({ digits: '' })],
  ['call', 'GET', /^\/v1\/calls\/([^/]+)$/, ({ id }) => ({ ...callResource(id, 'progressing'), recording_ids: [] })],
  [
    'call',
    'POST',
    /^\/v1\/calls$/,
    ({ data, newId }) => ({ calls: each(data.destinations).map(() => callResource(newId(), 'dialing')), groupcalls: [] }),
  ],
  ['call', 'POST', /^\/v1\/calls\/([^/]+)\/action-next$/, ({ id }) => ({ id })],
  [
    'call',
    'POST',
    /^\/v1\/confbridges$/,
    ({ data, newId }) => ({ id: newId(), type: data.type ?? 'connect', status: 'progressing' }),
  ],

  [
    'queue',
    'POST',
    /^\/v1\/services\/type\/queuecall$/,
    ({ newId }) => ({
      id: newId(),
      type: 'queuecall',
      push_actions: [
        { id: newId(), type: 'talk', option: { text: 'All our agents are busy. You are next in line.', language: 'en-US' } },
        { id: newId(), type: 'confbridge_join', option: { confbridge_id: newId() } },
      ],
    }),
  ],
  ['queue', 'POST', /^\/v1\/queuecalls\/([^/]+)\/status_waiting$/, ({ id }) => ({ id, status: 'waiting' })],
  [
    'conference',
    'POST',
    /^\/v1\/services\/type\/conferencecall$/,
    (asked) => ({ ...joining(asked, 'conferencecall'), status: 'joining' }),
  ],
  ['ai', 'POST', /^\/v1\/services\/type\/aicall$/, (asked) => joining(asked, 'aicall')],
  ['ai', 'POST', /^\/v1\/services\/type\/(summary|task)$/, ({ id, newId }) => ({ id: newId(), type: id, push_actions: [] })],
  [
    'agent',
    'POST',
    /^\/v1\/agents\/([^/]+)\/dial$/,
    ({ id, newId }) => ({ id: newId(), agent_id: id, calls: [callResource(newId(), 'dialing')] }),
  ],

  [
    'message',
    'POST',
    /^\/v1\/messages$/,
    ({ data, newId }) => ({ id: newId(), status: 'sent', targets: each(data.destinations) }),
  ],
  [
    'email',
    'POST',
    /^\/v1\/emails$/,
    ({ data, newId }) => ({ id: newId(), status: 'sent', destinations: each(data.destinations) }),
  ],
  [
    'conversation',
    'POST',
    /^\/v1\/messages$/,
    ({ data, newId }) => ({ id: newId(), conversation_id: data.conversation_id ?? '', status: 'sent' }),
  ],
  ['conversation', 'GET', /^\/v1\/conversations\/([^/]+)$/, ({ id }) => ({ id, type: 'message', self: CALLED, peer: CALLER })],
  [
    'transcribe',
    'POST',
    /^\/v1\/transcribes$/,
    ({ data, newId }) => ({ id: newId(), status: 'progressing', language: data.language ?? '' }),
  ],
  ['contact', 'POST', /^\/v1\/cases$/, ({ data, newId }) => ({ id: newId(), status: 'open', name: data.name ?? '' })],
  ['customer', 'GET', /^\/v1\/customers\/([^/]+)$/, ({ id }) => ({ id, name: 'Sandbox customer', status: 'active' })],
  ['webhook', 'POST', /^\/v1\/(webhooks|webhook_destinations)$/, () => ({})],
];

/**
 * What a sibling that is well and free would answer. Pure but for the new ids.
 *
 * @example answerAsSibling('queue', { method: 'POST', uri: '/v1/services/type/queuecall', data: { queue_id } })
 */
export function answerAsSibling(name: string, request: SandboxRequest, newId: () => string = randomUUID): SandboxResponse {
  const path = request.uri.split('?')[0] ?? '';
  const data = isJsonObject(request.data) ? request.data : {};
  for (const [sibling, method, pattern, answer] of RULES) {
    if (sibling !== name || method !== request.method) continue;
    const match = pattern.exec(path);
    if (match !== null) return good(answer({ id: match[1] ?? '', data, newId }));
  }
  return good({ id: newId() });
}

/** Something to be in by way of a bridge of the call service. */
function joining({ newId }: Asked, type: string): JsonObject {
  return { id: newId(), type, push_actions: [{ id: newId(), type: 'confbridge_join', option: { confbridge_id: newId() } }] };
}

function callResource(id: string, status: string): JsonObject {
  return status === 'dialing'
    ? { id, status, direction: 'outgoing', source: CALLED, destination: CALLER }
    : { id, status, direction: 'incoming', source: CALLER, destination: CALLED };
}

function each(list: Json | undefined): readonly Json[] {
  return Array.isArray(list) ? list : [];
}

function good(data: Json): SandboxResponse {
  return { status_code: 200, data_type: 'application/json', data };
}
