// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${name} is the flow’s own notation
/** Random flows, and random requests to what runs on them. */
import fc from 'fast-check';
import type { Effect, EffectAnswer } from '../../../pkg/action/definition.ts';
import type { Action } from '../../../pkg/model/action.ts';
import { isJsonObject, type Json } from '../../../pkg/model/json.ts';
import { ok, refused } from '../../support/drive.ts';
import {
  above,
  act,
  branch,
  empty,
  fetch,
  id,
  jump,
  labelOf,
  pressed,
  queueJoin,
  set,
  talk,
  webhook,
} from '../../support/engine_flow.ts';

export interface Surroundings {
  readonly reference: 'call' | 'conversation' | 'api' | '';
  /** Lists by path, of fetch and of queues; absent: the address fails. */
  readonly lists: { readonly [path: string]: readonly Action[] };
  /** Queues that cannot be told that somebody waits. */
  readonly deaf: ReadonlySet<string>;
  readonly digits: string;
  readonly limits: { readonly actions_per_activeflow: number; readonly actions_per_request: number; readonly stacks: number };
}

/** All that is random about a run. */
export interface Scene {
  readonly flow: readonly Action[];
  readonly around: Surroundings;
  readonly requests: readonly Request[];
  /** What others do while the n-th effect is under way. */
  readonly meanwhile: readonly (readonly Request[])[];
  readonly refusals: readonly boolean[];
  readonly crashes: readonly boolean[];
}

export type Request =
  | { readonly kind: 'next'; readonly asked: 'current' | 'previous' | string }
  /** The n-th `next` so far, again. */
  | { readonly kind: 'repeat'; readonly which: number }
  | { readonly kind: 'continue'; readonly asked: 'current' | string }
  | { readonly kind: 'forward'; readonly target: string }
  | { readonly kind: 'push' | 'add'; readonly list: readonly Action[] }
  | { readonly kind: 'stop_service'; readonly right: boolean }
  | { readonly kind: 'set'; readonly value: string }
  | { readonly kind: 'execute' | 'wake' | 'late' | 'stop' | 'remove' };

const LABELS = ['a', 'b', 'c', 'd', 'e', 'f'];
const PATHS = ['one', 'two', 'three', 'empty'];

const label = fc.constantFrom(...LABELS);
/** Now and then one that is nowhere. */
const target = fc.constantFrom(...LABELS, ...LABELS, 'x');
const extra = fc.record(
  {
    next: fc.oneof({ weight: 9, arbitrary: target }, { weight: 1, arbitrary: fc.constant('finish') }),
    error: target,
  },
  { requiredKeys: [] },
);
const rarely = fc.oneof({ weight: 4, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: extra });
const text = fc.constantFrom('hi', '${x}', '<${x}${x}>', '${voipbin.flow.reference_data} ${x}');
const path = fc.constantFrom(...PATHS, 'away');

function action(name: string): fc.Arbitrary<Action> {
  return fc.oneof(
    { weight: 6, arbitrary: fc.tuple(rarely, text).map(([more, said]) => talk(name, more, said)) },
    { weight: 2, arbitrary: rarely.map((more) => empty(name, more)) },
    { weight: 3, arbitrary: fc.tuple(target, fc.nat(3), rarely).map(([to, times, more]) => jump(name, to, times, more)) },
    { weight: 2, arbitrary: fc.constantFrom('1', '7', '${x}1').map((value) => set(name, 'x', value)) },
    {
      weight: 1,
      arbitrary: fc.tuple(target, fc.option(target)).map(([to, other]) => branch(name, 'x', { 1: to }, other ?? undefined)),
    },
    { weight: 1, arbitrary: target.map((to) => above(name, '${x}', 5, to)) },
    { weight: 3, arbitrary: fc.tuple(path, rarely).map(([at, more]) => fetch(name, at, more)) },
    { weight: 2, arbitrary: fc.tuple(path, rarely).map(([at, more]) => queueJoin(name, at, more)) },
    {
      weight: 2,
      arbitrary: fc.tuple(fc.constantFrom('1', '9'), target, rarely).map(([key, to, more]) => pressed(name, key, to, more)),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constantFrom('"works"', '"fails"'), rarely).map(([data, more]) => webhook(name, data, more)),
    },
    { weight: 1, arbitrary: rarely.map((more) => act(name, 'block', undefined, more)) },
    { weight: 1, arbitrary: rarely.map((more) => act(name, 'sleep', { duration: 10 }, more)) },
    { weight: 1, arbitrary: fc.constantFrom('stop', 'dance').map((type) => act(name, type)) },
  );
}

/** Ids are each list's own, and the same ones in all lists, so that a wrong stack shows. */
function list(most: number): fc.Arbitrary<Action[]> {
  return fc
    .uniqueArray(label, { minLength: 1, maxLength: most })
    .chain((labels) => fc.tuple(...labels.map((name) => action(name))));
}

const others = fc.oneof(
  { weight: 2, arbitrary: target.map((to) => ({ kind: 'forward', target: id(to) }) as const) },
  {
    weight: 3,
    arbitrary: fc
      .oneof({ weight: 9, arbitrary: list(3) }, fc.constant([]))
      .map((pushed) => ({ kind: 'push', list: pushed }) as const),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom('g', 'h'), label)
      .chain(([one, two]) => fc.tuple(action(one), action(two)))
      .map((added) => ({ kind: 'add', list: added }) as const),
  },
  { weight: 3, arbitrary: fc.nat(9).map((n) => ({ kind: 'stop_service', right: n > 0 }) as const) },
  { weight: 2, arbitrary: fc.constantFrom('1', '7', 'n').map((value) => ({ kind: 'set', value }) as const) },
  { weight: 1, arbitrary: fc.constantFrom('execute', 'wake', 'late', 'stop', 'remove').map((kind) => ({ kind }) as const) },
);
const asked = fc.oneof({ weight: 16, arbitrary: fc.constant('current') }, fc.constant('previous'), label.map(id));
const request: fc.Arbitrary<Request> = fc.oneof(
  { weight: 14, arbitrary: asked.map((said) => ({ kind: 'next', asked: said }) as const) },
  { weight: 2, arbitrary: fc.nat(20).map((which) => ({ kind: 'repeat', which }) as const) },
  { weight: 1, arbitrary: asked.map((said) => ({ kind: 'continue', asked: said }) as const) },
  { weight: 2, arbitrary: fc.constantFrom('execute', 'wake').map((kind) => ({ kind }) as const) },
  { weight: 4, arbitrary: others },
);

/** True about once in six. */
const seldom = fc.array(
  fc.nat(5).map((n) => n === 0),
  { maxLength: 40 },
);

export const scene: fc.Arbitrary<Scene> = fc.record({
  flow: list(6),
  around: fc.record({
    reference: fc.constantFrom('call', 'call', 'call', 'conversation', 'api', ''),
    lists: fc.record({ one: list(4), two: list(4), three: list(3), empty: fc.constant([]) }),
    deaf: fc.uniqueArray(fc.constantFrom(...PATHS), { maxLength: 1 }).map((paths) => new Set(paths)),
    digits: fc.constantFrom('', '12'),
    limits: fc.record({
      actions_per_activeflow: fc.constantFrom(6, 15, 60),
      actions_per_request: fc.constantFrom(3, 25, 25),
      stacks: fc.constantFrom(2, 5, 5),
    }),
  }),
  requests: fc.array(request, { minLength: 1, maxLength: 25, size: 'max' }),
  meanwhile: fc.array(fc.array(fc.oneof(others, request), { maxLength: 2 }), { maxLength: 6 }),
  refusals: seldom,
  crashes: seldom,
});

/** What siblings answer in a scene. */
export function answerIn(effect: Effect, { lists, deaf, digits }: Surroundings): EffectAnswer {
  if (effect.kind === 'fetch')
    return answerList(lists[effect.url.slice('https://flows/'.length)], (list) => ({ status: 200, body: list }));
  if (effect.kind !== 'request') throw new Error(`no scene asks for ${effect.kind}`);
  if (effect.to === 'webhook') return isJsonObject(effect.data) && effect.data.data === 'fails' ? refused('DOWN') : ok({});
  if (effect.to === 'call') return ok(effect.uri.endsWith('/digits') ? { digits } : 'DATA');
  if (!isJsonObject(effect.data)) {
    // The id of a queuecall tells which queue it is.
    const queue = labelOf(effect.uri.split('/')[3] ?? '');
    return deaf.has(queue) ? refused('DOWN') : ok(null);
  }
  const queue = labelOf(String(effect.data.queue_id));
  return answerList(lists[queue], (list) => ({ id: id(queue), push_actions: list }));
}

function answerList(list: readonly Action[] | undefined, body: (list: Json) => Json): EffectAnswer {
  return list ? ok(body(list as unknown as Json)) : refused('DOWN');
}
