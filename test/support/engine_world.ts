/** What the engine is given by a test: time, storage and siblings that answer at once. */
import type { Effect, EffectAnswer } from '../../pkg/action/definition.ts';
import { REFERENCE } from './drive.ts';
import { id } from './engine_flow.ts';

/** Time that stands still unless told otherwise. */
export class SimulatedClock {
  #now = Date.parse('2026-01-02T03:04:05Z');

  readonly now = (): number => this.#now;

  advance(ms: number): void {
    this.#now += ms;
  }
}

/** As it comes back from a database; nobody may change it. */
export function stored<T>(value: T): T {
  return freeze(JSON.parse(JSON.stringify(value)) as T);
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) freeze(part);
  }
  return value;
}

/** What siblings answer when a test says nothing else. */
export function realistic(effect: Effect): EffectAnswer {
  if (effect.kind === 'flow') return { ok: true, value: null };
  if (effect.kind === 'participant') return { ok: true, value: {} };
  if (effect.kind === 'make_flow') return { ok: true, value: { id: id('made') } };
  if (effect.kind === 'callback') return { ok: true, value: { url: 'https://flows/v1/callbacks/1', secret: 'cbsec_1' } };
  if (effect.kind === 'look') return { ok: true, value: null };
  if (effect.kind === 'fetch') return { ok: true, value: { status: 200, body: [] } };
  if (effect.uri.endsWith('/digits')) return { ok: true, value: { digits: '' } };
  return { ok: true, value: effect.method === 'GET' ? { id: REFERENCE, status: 'progressing' } : { id: id('thing') } };
}
