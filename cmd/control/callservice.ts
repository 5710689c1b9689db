import { type Bus, BusError, type Serving } from '../../pkg/service/ports.ts';
import { encodeRequest } from './client.ts';
import { answerAsSibling, type SandboxRequest, type SandboxResponse, siblingQueue } from './sandbox.ts';
import { type Exchange, serveSiblings } from './sandbox-serve.ts';
import type { CallSimulator } from './simulator.ts';

const PROBE_MS = 1_000;

/**
 * Answers the daemon's questions about this call, as call-manager would, unless somebody does that already: a real
 * call-manager, a sandbox, or the call of another terminal. undefined: somebody does.
 */
export async function serveCall(
  bus: Pick<Bus, 'serve' | 'request'>,
  call: CallSimulator,
  onExchange: (exchange: Exchange) => void,
): Promise<Serving | undefined> {
  if (await isServed(bus, call)) return undefined;
  return serveSiblings(bus, ['call'], onExchange, (_name, request) => answerForCall(call, request));
}

/** A queue that nobody has declared is the only proof that nobody serves: silence may be a slow service. */
async function isServed(bus: Pick<Bus, 'request'>, call: CallSimulator): Promise<boolean> {
  const { request_id, body } = encodeRequest('GET', `/v1/calls/${call.id}`, undefined);
  try {
    await bus.request(siblingQueue('call'), body, { timeout_ms: PROBE_MS, message_id: request_id });
    return true;
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    return error.code !== 'unroutable';
  }
}

/** undefined: not about this call. */
export function answerForCall(call: CallSimulator, request: SandboxRequest): SandboxResponse | undefined {
  const match = /^\/v1\/calls\/([^/?]+)(?:\/([\w-]+))?$/.exec(request.uri);
  if (match === null || match[1] !== call.id) return undefined;
  const asked = `${request.method} ${match[2] ?? ''}`.trim();
  const good = { status_code: 200, data_type: 'application/json' };
  if (asked === 'GET digits') return { ...good, data: { digits: call.digits } };
  if (asked === 'POST action-next') {
    call.cutOff();
    return { ...good, data: { id: call.id } };
  }
  if (asked === 'POST hangup') {
    call.end('hung_up');
    return { ...good, data: { id: call.id } };
  }
  const { data } = answerAsSibling('call', request);
  const own = { status: call.status, activeflow_id: call.activeflow_id };
  return { ...good, data: typeof data === 'object' && data !== null ? { ...data, ...own } : own };
}
