import { LRUCache } from 'lru-cache';
import type { Effect, EffectAnswer } from '../../action/definition.ts';
import { arrival, type EffectAsk, type FirstAsk, type Walk } from '../../engine/ask.ts';
import type { Draft } from '../../engine/draft.ts';
import { toErrorData } from '../../engine/error-data.ts';
import { walk } from '../../engine/walk.ts';
import { FlowError, toFlowError } from '../../error/index.ts';
import type { Activeflow, ActiveflowEventType } from '../../model/activeflow.ts';
import type { HistoryInput } from '../../model/history.ts';
import { isJsonObject, type Json } from '../../model/json.ts';
import { participantOf } from '../../model/participant.ts';
import { type Context, requestId, worldOf } from '../context.ts';
import type { MakeTemporaryFlow } from '../flow/temporary.ts';
import { Recording } from '../history/recording.ts';
import type { ListBook } from '../lists.ts';
import { checkRoom, entriesValue } from '../participant.ts';
import { checkRaces, type Keeper } from './keeper.ts';

/** Where a walk stands when it lets go of the activeflow. */
type Segment =
  | { readonly kind: 'done'; readonly row: Activeflow }
  | { readonly kind: 'effect'; readonly ask: EffectAsk | FirstAsk; readonly journey: Journey }
  | { readonly kind: 'lost' };

type EffectSegment = Extract<Segment, { kind: 'effect' }>;

/** A walk from its request to its end, over all its attempts. */
interface Trip {
  readonly id: string;
  readonly prepare: Prepare;
  readonly journal: Map<string, EffectAnswer>;
  /** What is under way side by side: resolves when its answer is in hand. */
  readonly flying: Map<string, Promise<void>>;
  /** True once a checkpoint of it was committed: the row's run is this one's. */
  claimed: boolean;
  /** The cursor's step at its beginning. */
  from?: number;
}

/** One attempt at a walk: a draft, the generator that decides on it, and the lists it looks into. */
interface Journey {
  readonly draft: Draft;
  readonly steps: Walk<void>;
  readonly book: ListBook;
  /** What was read of what others may write: after a lost race it is read again. */
  readonly read: Map<string, EffectAnswer>;
  /** Absent: no history is kept. */
  readonly recording: Recording | undefined;
}

/**
 * Decides, from the row as it now is, what is to be walked: a draft with a run, or nothing because there is
 * nothing to walk any more. Called again after each lost race.
 */
export type Prepare = (row: Activeflow, fresh: boolean, claimed: boolean) => Draft | 'reread' | 'nothing';

/**
 * By the kind of a signal (the part before its colon), what the effect `look` is answered: whether it has come
 * already. Whoever gives a signal calls `ControlService.signal` after that is stored; the end of a job makes who waits due.
 */
export type Looks = { readonly [kind: string]: (activeflow: Activeflow, name: string) => Promise<Json> };

/** Other use cases, for what actions ask of them. */
export interface Helpers {
  readonly makeFlow: MakeTemporaryFlow;
  readonly makeCallback: (effect: Extract<Effect, { kind: 'callback' }>, activeflow: Activeflow, step: number) => Promise<Json>;
  readonly looks: Looks;
}

/**
 * Performs walks: asks the engine, does what it asks for, commits at its checkpoints. The activeflow is held
 * only while the engine decides and the commit is under way, never while a sibling is waited for. Answers in
 * hand are kept in a journal: after a lost race the walk is decided anew and asks nobody twice. One file, long as it is: its
 * parts hand one walk to each other, and are read in one go.
 */
export class Walker {
  readonly #context: Context;
  readonly #keeper: Keeper;
  readonly #helpers: Helpers;
  readonly #underWay = new Map<string, Promise<Activeflow | undefined>>();
  /** Revisions at which walks of this process have broken off: nobody is at them, whatever their lease says. */
  readonly #brokenOff = new LRUCache<string, number>({ max: 10_000 });
  /** Called with the id of an activeflow for which somebody begins to wait, for another service say. */
  onWait: (id: string) => void = () => undefined;

  constructor(context: Context, keeper: Keeper, helpers: Helpers) {
    this.#context = context;
    this.#keeper = keeper;
    this.#helpers = helpers;
  }

  /** The walk of this activeflow that this process is at, if any. */
  underWay(id: string): Promise<Activeflow | undefined> | undefined {
    return this.#underWay.get(id);
  }

  /** True for the first who asks: the walk that this row tells of was this process's, and has broken off. */
  takesOver({ id, revision }: Activeflow): boolean {
    return this.#brokenOff.get(id) === revision && this.#brokenOff.delete(id);
  }

  /** Ids of all walks that wait for somebody, for the renewal of their leases. */
  get ids(): readonly string[] {
    return [...this.#underWay.keys()];
  }

  /** Resolves when no walk is under way. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay.values());
  }

  /**
   * Walks until the row says so. Undefined: `prepare` found nothing to walk. A row that still has a run pauses before
   * the next try of an action: nobody is at it until then.
   */
  async walk(id: string, prepare: Prepare): Promise<Activeflow | undefined> {
    const trip: Trip = { id, prepare, journal: new Map(), flying: new Map(), claimed: false };
    const first = await this.#start(trip);
    if (first === 'nothing') return undefined;
    if (first.kind === 'done') return first.row;
    this.onWait(id);
    // From here on others must be able to find this walk, and nothing holds the activeflow.
    return this.#register(id, this.#goOn(trip, first));
  }

  async #goOn(trip: Trip, first: EffectSegment): Promise<Activeflow | undefined> {
    let at: Segment = first;
    for (let attempt = 0; ; attempt++) {
      checkRaces(attempt, trip.id);
      while (at.kind === 'effect') at = await this.#afterEffect(trip, at).catch(this.#breaksOff(at));
      if (at.kind === 'done') return at.row;
      const again = await this.#start(trip);
      if (again === 'nothing') return undefined;
      at = again;
    }
  }

  #breaksOff({ journey }: EffectSegment): (error: unknown) => never {
    return (error) => {
      const { id, revision } = journey.draft.base;
      this.#brokenOff.set(id, revision);
      throw error;
    };
  }

  async #register(id: string, walking: Promise<Activeflow | undefined>): Promise<Activeflow | undefined> {
    this.#underWay.set(id, walking);
    try {
      return await walking;
    } finally {
      if (this.#underWay.get(id) === walking) this.#underWay.delete(id);
    }
  }

  /** Begins, or begins anew after a lost race, until something must be waited for. */
  async #start(trip: Trip): Promise<Exclude<Segment, { kind: 'lost' }> | 'nothing'> {
    for (let attempt = 0; ; attempt++) {
      checkRaces(attempt, trip.id);
      const segment = await this.#keeper.exclusive(trip.id, () => this.#attempt(trip));
      if (segment === 'nothing' || segment.kind !== 'lost') return segment;
    }
  }

  async #attempt(trip: Trip): Promise<Segment | 'nothing'> {
    const { id, prepare } = trip;
    const held = await this.#keeper.hold(id);
    let draft = prepare(held.row, held.fresh, trip.claimed);
    if (draft === 'reread') draft = prepare(await this.#keeper.read(id), true, trip.claimed);
    if (draft === 'nothing' || draft === 'reread') return 'nothing';
    trip.from ??= draft.step;
    const book = await this.#keeper.lists.book(draft.base);
    const recording = Recording.of(draft.base, walkOf(draft));
    const world = worldOf(this.#context, book.list);
    const journey = { draft, book, read: new Map(), recording, steps: walk(draft, recording?.around(world) ?? world) };
    return this.#run(trip, journey, undefined);
  }

  async #afterEffect(trip: Trip, { ask, journey }: EffectSegment): Promise<Segment> {
    const performing = ask.kind === 'first' ? this.#first(trip, journey, ask) : this.#take(trip, journey, ask);
    const answer = await this.#keeper.endings.unlessEnded(trip.id, performing);
    // Whoever waits for this walk is answered now, not when the sibling answers.
    if (!answer) return { kind: 'lost' };
    journey.recording?.answered(ask, answer);
    return this.#keeper.exclusive(trip.id, async () =>
      this.#keeper.isNewest(journey.draft.base) ? this.#run(trip, journey, answer) : { kind: 'lost' },
    );
  }

  /** Performs it and keeps the answer. */
  async #take(trip: Trip, journey: Journey, ask: EffectAsk): Promise<EffectAnswer> {
    const answer = await this.#perform(journey, ask);
    const { kind } = ask.effect;
    // What was seen in time for one attempt may be too early for the next.
    const answers = kind === 'participant' || kind === 'look' ? journey.read : trip.journal;
    answers.set(placeOf(ask), answer);
    return answer;
  }

  /** Performs side by side what is not under way yet, until one of them is answered or the time is over. */
  async #first(trip: Trip, journey: Journey, { asks, until }: FirstAsk): Promise<EffectAnswer> {
    for (;;) {
      for (const ask of asks) this.#fly(trip, journey, ask);
      const left = until === null ? undefined : Date.parse(until) - this.#context.clock.now();
      if (left === undefined || left > 0) {
        await firstOf(
          asks.flatMap((ask) => trip.flying.get(placeOf(ask)) ?? []),
          left,
        );
      }
      const found = findArrival(trip, journey, asks);
      if (found) return found;
      if (left !== undefined && left <= 0) return arrival(undefined);
    }
  }

  #fly(trip: Trip, journey: Journey, ask: EffectAsk): void {
    const place = placeOf(ask);
    if (trip.flying.has(place) || answerTo(trip, journey, ask)) return;
    const landed = this.#take(trip, journey, ask).then(() => void trip.flying.delete(place));
    trip.flying.set(place, landed);
  }

  /** Lets the engine go on until it needs an answer that is not in hand, or is done. */
  async #run(trip: Trip, journey: Journey, input: EffectAnswer | undefined): Promise<Segment> {
    let result = journey.steps.next(input);
    while (!result.done) {
      const ask = result.value;
      if (ask.kind !== 'checkpoint') {
        const known = ask.kind === 'first' ? findArrival(trip, journey, ask.asks) : answerTo(trip, journey, ask);
        if (!known) return { kind: 'effect', ask, journey };
        if (ask.kind === 'effect' && ask.effect.kind === 'flow') await bringList(known, journey);
        journey.recording?.answered(ask, known);
        result = journey.steps.next(known);
      } else {
        if (!(await this.#commit(journey, null))) return { kind: 'lost' };
        trip.claimed = true;
        result = journey.steps.next(undefined);
      }
    }
    // A walk that pauses before its next try has come to nothing yet.
    const row = await this.#commit(journey, journey.draft.run ? null : 'activeflow_updated');
    if (!row) return { kind: 'lost' };
    const labels = { reference_type: row.reference_type || 'none' };
    this.#context.meter.observe('activeflow_execute_iterations', labels, row.state.step - (trip.from ?? row.state.step));
    return { kind: 'done', row };
  }

  #commit({ draft, book, recording }: Journey, event: ActiveflowEventType | null): Promise<Activeflow | undefined> {
    return this.#keeper.commit(draft, event, book, recording && { recording });
  }

  async #perform(journey: Journey, ask: EffectAsk): Promise<EffectAnswer> {
    const { base } = journey.draft;
    const id = requestId(base.id, ask.step, ask.position, ask.attempt ?? 0);
    try {
      // A try that got no answer may have done its work: its next one is the same request for whoever knows the key.
      if (ask.effect.kind === 'fetch') {
        return { ok: true, value: await this.#fetch(ask.effect, base, requestId(base.id, ask.step, ask.position, 0)) };
      }
      return { ok: true, value: await this.#do(ask.effect, base, id, ask.step, journey.book) };
    } catch (error) {
      // The database is away: that is no answer, and the walk is taken up again when it is back.
      if (asksDatabase(ask.effect) && toFlowError(error).status === 'UNAVAILABLE') throw error;
      this.#context.log.warn(
        { activeflow_id: base.id, customer_id: base.customer_id, request_id: id, error: String(error) },
        'what an action asked for has failed',
      );
      return { ok: false, error: toErrorData(error) };
    }
  }

  async #do(
    effect: Exclude<Effect, { kind: 'fetch' }>,
    base: Activeflow,
    id: string,
    step: number,
    book: ListBook,
  ): Promise<Json> {
    switch (effect.kind) {
      case 'request':
        return this.#request(effect, id);
      case 'flow':
        return this.#flow(effect.id, base, book);
      case 'participant': {
        const entries = await this.#context.store.participants.read(participantOf(base));
        if (effect.room_for) checkRoom(entries, effect.room_for);
        return entriesValue(entries);
      }
      case 'make_flow':
        return {
          id: await this.#helpers.makeFlow({ id, customer_id: base.customer_id, name: effect.name, actions: effect.actions }),
        };
      case 'callback':
        return this.#helpers.makeCallback(effect, base, step);
      case 'look':
        return this.#look(effect.signal, base);
    }
  }

  async #look(signal: string, base: Activeflow): Promise<Json> {
    const [kind = '', ...name] = signal.split(':');
    const look = this.#helpers.looks[kind];
    if (!look) throw new FlowError('INTERNAL', 'SIGNAL_UNKNOWN', `nobody gives signals such as ${kind}:`);
    return look(base, name.join(':'));
  }

  async #request(effect: Extract<Effect, { kind: 'request' }>, id: string): Promise<Json> {
    const request = {
      to: effect.to,
      method: effect.method,
      uri: effect.uri,
      ...(effect.data === undefined ? {} : { data: effect.data }),
      request_id: id,
      timeout_ms: effect.timeout_ms ?? DEFAULT_TIMEOUT_MS,
    };
    if (effect.wait !== false) return this.#context.siblings.request(request);
    await this.#context.siblings.send(request);
    return null;
  }

  async #fetch(effect: Extract<Effect, { kind: 'fetch' }>, { customer_id }: Activeflow, key: string): Promise<Json> {
    const { kind: _, keyed, headers = {}, ...request } = effect;
    const hasKey = Object.keys(headers).some((name) => name.toLowerCase() === IDEMPOTENCY_KEY);
    const sent = keyed && !hasKey ? { ...headers, [IDEMPOTENCY_KEY]: key } : headers;
    const { status, body } = await this.#context.http.request({ ...request, headers: sent, customer_id });
    return { status, body };
  }

  async #flow(id: string, base: Activeflow, book: ListBook): Promise<Json> {
    const flow = await this.#context.store.flows.get(id);
    if (!flow || flow.tm_delete !== null) return null;
    if (flow.customer_id === base.customer_id) {
      await this.#keeper.lists.keep(flow.customer_id, flow.list, base.deadline_at, this.#context.clock.now());
      await book.load({ list: flow.list, shared: true });
    }
    return { id: flow.id, customer_id: flow.customer_id, list: flow.list };
  }
}

/** Others are asked for it, and what they fail with is an answer. */
function asksDatabase({ kind }: Effect): boolean {
  return kind !== 'request' && kind !== 'fetch';
}

/** The list of a flow that was looked up in an attempt that lost its race: the book of this one must have it too. */
async function bringList(answer: EffectAnswer, { draft, book }: Journey): Promise<void> {
  if (!answer.ok || !isJsonObject(answer.value)) return;
  const { customer_id, list } = answer.value;
  if (customer_id === draft.base.customer_id && typeof list === 'string') await book.load({ list, shared: true });
}

/** A walk that was just begun says so: the row that it is decided on does not know of it. */
function walkOf({ base, run }: Draft): () => HistoryInput {
  return () => (base.state.run || !run ? { kind: 'walk' } : { kind: 'walk', begin: { kind: run.kind, key: run.key } });
}

/** How long a sibling is waited for unless its action says otherwise. */
const DEFAULT_TIMEOUT_MS = 3_000;
const IDEMPOTENCY_KEY = 'idempotency-key';

function placeOf(ask: EffectAsk): string {
  return `${ask.step}/${ask.position}/${ask.attempt ?? 0}`;
}

function answerTo(trip: Trip, journey: Journey, ask: EffectAsk): EffectAnswer | undefined {
  return trip.journal.get(placeOf(ask)) ?? journey.read.get(placeOf(ask));
}

function findArrival(trip: Trip, journey: Journey, asks: readonly EffectAsk[]): EffectAnswer | undefined {
  for (const ask of asks) {
    const answer = answerTo(trip, journey, ask);
    if (answer) return arrival(ask, answer);
  }
  return undefined;
}

/** Resolves when one of them does, or after `ms`. */
async function firstOf(flying: readonly Promise<void>[], ms: number | undefined): Promise<void> {
  if (ms === undefined) return Promise.race(flying);
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.min(ms, LONGEST_TIMER_MS));
  });
  await Promise.race([...flying, over]);
  clearTimeout(timer);
}

/** Longer ones fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
