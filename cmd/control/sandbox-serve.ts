import { isJsonObject, type Json, type JsonObject } from '../../pkg/model/json.ts';
import type { Bus, Delivery, Serving, Verdict } from '../../pkg/service/ports.ts';
import { answerAsSibling, type SandboxRequest, type SandboxResponse, siblingQueue } from './sandbox.ts';

/** One request as the sandbox saw it. */
export interface Exchange {
  readonly to: string;
  readonly request: SandboxRequest;
  readonly response: SandboxResponse;
  /** Asked before with the same request_id: got the same answer again. */
  readonly repeat: boolean;
  readonly duration_ms: number;
}

/** A well-behaved sibling drops repeats by request_id; this many are remembered. */
const REMEMBERED = 10_000;
const PREFETCH = 200;

/**
 * Serves the queues of these siblings. Queues are declared as the siblings declare theirs, and go when nobody
 * serves them any more. `answer` may answer some requests itself; undefined: as the sandbox does.
 */
export async function serveSiblings(
  bus: Pick<Bus, 'serve'>,
  names: readonly string[],
  onExchange: (exchange: Exchange) => void,
  answer: (name: string, request: SandboxRequest) => SandboxResponse | undefined = () => undefined,
): Promise<Serving> {
  const answered = new Map<string, SandboxResponse>();
  const handle = async (name: string, delivery: Delivery): Promise<Verdict> => {
    const began = performance.now();
    const { request, request_id } = decode(delivery);
    const key = `${name} ${request_id}`;
    const known = request_id === '' ? undefined : answered.get(key);
    const response = known ?? answer(name, request) ?? answerAsSibling(name, request);
    if (request_id !== '') remember(answered, key, response);
    onExchange({ to: name, request, response, repeat: known !== undefined, duration_ms: performance.now() - began });
    return delivery.reply_to === '' ? { kind: 'done' } : { kind: 'done', reply: JSON.stringify(response) };
  };
  const servings: Serving[] = [];
  try {
    for (const name of names) {
      servings.push(
        await bus.serve(siblingQueue(name), (delivery) => handle(name, delivery), { prefetch: PREFETCH, transient: true }),
      );
    }
  } catch (error) {
    await closeAll(servings);
    throw error;
  }
  return { close: () => closeAll(servings) };
}

async function closeAll(servings: readonly Serving[]): Promise<void> {
  await Promise.all(servings.map((serving) => serving.close()));
}

function remember(answered: Map<string, SandboxResponse>, key: string, response: SandboxResponse): void {
  answered.set(key, response);
  if (answered.size <= REMEMBERED) return;
  const oldest = answered.keys().next();
  if (oldest.done !== true) answered.delete(oldest.value);
}

function decode(delivery: Delivery): { request: SandboxRequest; request_id: string } {
  const text = Buffer.from(delivery.body).toString('utf8');
  const envelope = parse(text);
  if (!isJsonObject(envelope)) return { request: { method: '?', uri: text.slice(0, 80) }, request_id: '' };
  const { method, uri, data, request_id } = envelope as JsonObject;
  return {
    request: {
      method: String(method ?? '?'),
      uri: String(uri ?? ''),
      data: typeof data === 'string' ? (parse(data) ?? data) : data,
    },
    request_id: typeof request_id === 'string' ? request_id : '',
  };
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
