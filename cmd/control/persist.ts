import { setTimeout as delay } from 'node:timers/promises';
import type { Json } from '../../pkg/model/json.ts';
import { ask, LostAnswer, type Method, type RpcClient } from './client.ts';

/** Time and ids as the simulator sees them; tests bring their own. */
export interface World {
  /** ms; only differences count. */
  now(): number;
  /** Resolves after `ms`, or at once when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  newId(): string;
}

/** Answers of siblings that a request waits for may take a minute (ai_summary); a broker's restart takes less. */
const GIVE_UP_MS = 90_000;
const PAUSE_MS = 250;

/** Somebody asked to stop while a request was under way. */
export class Interrupted extends Error {
  constructor() {
    super('interrupted');
    this.name = 'Interrupted';
  }
}

export interface Persistence {
  readonly world: World;
  readonly onRepeat: (error: LostAnswer) => void;
  readonly signal?: AbortSignal;
  /** Gives up at once when the first try certainly reached nobody: nothing has begun yet. */
  readonly onlyIfReachable?: boolean;
}

/**
 * Asks, and asks again with the same request_id as long as answers get lost: the daemon knows the request by it
 * and does nothing twice. Throws RpcError for an error answer, the last LostAnswer when none came in 90 s.
 */
export async function askUntilAnswered(
  client: RpcClient,
  request: { readonly method: Method; readonly uri: string; readonly data?: Json },
  { world, onRepeat, signal, onlyIfReachable = false }: Persistence,
): Promise<Json> {
  const request_id = world.newId();
  const began = world.now();
  let reached = false;
  for (let first = true; ; first = false) {
    if (signal?.aborted === true) throw new Interrupted();
    try {
      const answer = ask(client, request.method, request.uri, request.data, { request_id });
      return await (signal === undefined ? answer : unlessAborted(answer, signal));
    } catch (error) {
      if (!(error instanceof LostAnswer)) throw error;
      reached ||= error.reached;
      if (world.now() - began > GIVE_UP_MS) throw new LostAnswer(error.message, reached, { cause: error });
      if (first && onlyIfReachable && !error.reached) throw error;
      onRepeat(error);
      await world.sleep(PAUSE_MS, signal);
    }
  }
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop: () => void = () => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(new Interrupted());
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    // An aborted sleep is one that is over: whoever aborted it knows why.
    if (!(error instanceof Error && error.name === 'AbortError')) throw error;
  }
}
