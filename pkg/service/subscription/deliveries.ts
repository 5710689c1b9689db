import { LEASE_MARGIN_MS, type Subscription, type WaitingDelivery } from '../../model/subscription.ts';
import type { Context } from '../context.ts';
import type { DeliveryOutcome, HeldLane } from '../ports.ts';
import type { Health } from './health.ts';
import { type PlaceOptions, Places } from './places.ts';
import { READ, READ_OF_ONE, readQueues } from './queues.ts';
import { Recorder } from './recorder.ts';
import { type Attempted, pauseBefore, send } from './sender.ts';

/** A lane that this process delivers. */
interface Run {
  lane: HeldLane;
  subscription: Subscription;
  /** What is known to wait in it. */
  queue: WaitingDelivery[];
  /** When the lease was last known to be ours, by `performance.now()`. */
  held_at: number;
  /** Outcomes that are being stored, in order. None of these rejects. */
  storing: Promise<void>[];
  /** It was let go, is another's, or what became of a delivery could not be stored. */
  over: boolean;
  failure?: unknown;
}

/**
 * Deliveries of a lane that have gone well and are not stored yet, when the next one is sent: with the waiting between
 * them a third of the time would be idle. As many may be repeated after a crash, in order, under their own ids.
 */
const AHEAD = 8;
/** Lanes of one claim. */
const CLAIM = 100;
const LONGEST_WAKE_MS = 10_000;
/** Numbers of lost deliveries that a lane keeps and tells; older ones stand in the log. */
const MOST_MISSING = 1_000;

/**
 * Delivers what waits in lanes. A lane is taken for as long as a request may take and longer; what became of its
 * deliveries is stored where it is still ours, and that same write renews the lease when it is no longer fresh: nobody
 * sends on a lease that may have run out. After a delivery that has not gone well nothing is sent before that is stored.
 * One that is to be tried again leaves its lane in the database until then: nothing waits here.
 */
export class Deliveries {
  readonly #context: Context;
  readonly #places: Places;
  readonly #health: Health;
  readonly #holder: string;
  readonly #recorder: Recorder;
  readonly #runs = new Map<string, Promise<void>>();
  /** Subscriptions of which more lanes were due than they may have: they are asked for by themselves, not to hide others. */
  readonly #crowded = new Set<string>();
  #closing = false;
  /** Called when there is room again. */
  onRoom: () => void = () => undefined;

  constructor(context: Context, health: Health, options: PlaceOptions) {
    this.#context = context;
    this.#places = new Places(options);
    this.#health = health;
    this.#holder = context.ids.next();
    this.#recorder = new Recorder(context.store, this.#holder);
  }

  /** Takes what is due. True: there may be more. */
  async turn(): Promise<boolean> {
    const limit = Math.min(this.#places.room, CLAIM);
    if (limit <= 0 || this.#closing) return false;
    const not = [...new Set([...this.#crowded, ...this.#places.full()])];
    const since = performance.now();
    const lanes = await this.#context.store.deliveries.claim(this.#holder, limit, { not });
    await this.#take(lanes, since);
    for (const id of [...this.#crowded]) await this.#takeOf(id);
    return lanes.length === limit;
  }

  /** Lanes of a subscription that has more of them than it may: as many as it has room for. */
  async #takeOf(id: string): Promise<void> {
    const room = this.#places.roomOf(id);
    if (room <= 0 || this.#closing) return;
    const since = performance.now();
    const lanes = await this.#context.store.deliveries.claim(this.#holder, room, { only: id });
    this.#crowded.delete(id);
    // Last of all the next time, when there are more than there is room for.
    if (lanes.length === room) this.#crowded.add(id);
    await this.#take(lanes, since);
  }

  /** `since`: when the lanes were asked for, before their leases began. */
  async #take(lanes: readonly HeldLane[], since: number): Promise<void> {
    if (lanes.length === 0) return;
    const { store } = this.#context;
    const found = await store.subscriptions.some([...new Set(lanes.map((lane) => lane.subscription_id))]);
    const known = new Map(found.map((one) => [one.id, one]));
    const live = lanes.filter((lane) => known.get(lane.subscription_id)?.enabled);
    const [parked, orphaned] = [
      lanes.filter((lane) => known.get(lane.subscription_id)?.enabled === false),
      lanes.filter((lane) => !known.has(lane.subscription_id)),
    ];
    await this.#release(parked, 'parked');
    await store.deliveries.discard(this.#holder, idsOf(orphaned));
    // One that this process is still at, on a lease that has run out, is left to what it is at: two would send side by side.
    const free = live.filter((lane) => !this.#runs.has(lane.id));
    const taken = free.filter((lane) => {
      const subscription = known.get(lane.subscription_id);
      return subscription !== undefined && this.#places.enter(subscription);
    });
    try {
      await this.#giveBack(free.filter((lane) => !taken.includes(lane)));
      const queues = await readQueues(store.deliveries, taken, READ);
      for (const lane of taken) {
        const subscription = known.get(lane.subscription_id);
        const queue = queues.get(lane.id) ?? [];
        if (subscription) this.#start({ lane, subscription, queue, held_at: since, storing: [], over: false });
      }
    } catch (error) {
      for (const { subscription_id } of taken) this.#places.leave(subscription_id);
      throw error;
    }
  }

  /** What is too much of one subscription: others shall have the room. */
  async #giveBack(lanes: readonly HeldLane[]): Promise<void> {
    for (const { subscription_id } of lanes) this.#crowded.add(subscription_id);
    await this.#release(lanes, 'due');
  }

  /** Takes no more; resolves when what is being sent has come to its end. */
  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all(this.#runs.values());
  }

  async #release(lanes: readonly HeldLane[], how: 'due' | 'parked'): Promise<void> {
    if (lanes.length === 0) return;
    await this.#context.store.deliveries.release(this.#holder, idsOf(lanes), how);
  }

  #start(run: Run): void {
    const { id, subscription_id } = run.lane;
    const running = this.#deliver(run)
      .catch((error) => {
        // Its lease runs out, and then it is somebody's again.
        this.#context.log.warn({ subscription_id, error: String(error) }, 'a lane of deliveries was broken off');
      })
      .finally(() => {
        this.#runs.delete(id);
        this.#places.leave(subscription_id);
        this.onRoom();
      });
    this.#runs.set(id, running);
  }

  async #deliver(run: Run): Promise<void> {
    while (!run.over) {
      const ends = this.#closing || !isSafe(run) ? 'due' : run.subscription.enabled ? undefined : 'parked';
      if (ends === undefined && run.queue.length === 0) {
        run.queue = await this.#context.store.deliveries.waiting([run.lane], READ_OF_ONE);
      }
      const delivery = ends === undefined ? skipDropped(run) : undefined;
      if (!delivery) {
        await stored(run, 0);
        if (!run.over) await this.#release([run.lane], ends ?? 'parked');
        return;
      }
      const since = performance.now();
      const outcome = delivery.status === 'dropped' ? droppedOutcome(run, delivery) : await this.#attempt(run, delivery);
      run.lane = { ...run.lane, done_position: delivery.position, missing: outcome.missing };
      run.storing.push(this.#store(run, outcome, since));
      const most = outcome.status === 'delivered' && run.queue.length > 0 ? AHEAD : 0;
      if (run.storing.length > most) await stored(run, most);
      if (outcome.again_ms !== undefined) this.#wakeAfter(outcome.again_ms);
    }
    await stored(run, 0);
    if (run.failure !== undefined) throw run.failure;
  }

  /** Never rejects: what it came to stands in the run. */
  async #store(run: Run, outcome: DeliveryOutcome, since: number): Promise<void> {
    const held_at = performance.now();
    try {
      const held = await this.#recorder.record(outcome, run.queue.length === 0);
      this.#context.meter.observe('webhook_delivery_time', {}, performance.now() - since);
      run.over ||= held === undefined;
      if (!held) return;
      run.subscription = held.subscription;
      run.queue.push(...held.queue);
      if (outcome.renews) run.held_at = held_at;
    } catch (error) {
      run.over = true;
      run.failure = error;
    }
  }

  /** Whoever comes first takes it up; without this it would be found by the next look, which may be later. */
  #wakeAfter(ms: number): void {
    if (ms <= LONGEST_WAKE_MS) setTimeout(() => this.onRoom(), ms + 1).unref();
  }

  async #attempt(run: Run, delivery: WaitingDelivery): Promise<DeliveryOutcome> {
    const { lane, subscription } = run;
    const { http, clock, meter } = this.#context;
    const body = withSequence(delivery, lane.missing);
    // A lane keeps the lease that it was made with.
    const timeout_ms = Math.min(subscription.config.timeout_ms, lane.lease_ms - LEASE_MARGIN_MS);
    const attempted = await send(http, subscription, { id: delivery.id, body, timeout_ms }, clock.now());
    this.#places.note(subscription.id, attempted, timeout_ms);
    const outcome = outcomeOf({ lane, subscription, delivery, attempted, renews: !isFresh(run), dice: Math.random() });
    meter.add('webhook_delivery_total', { outcome: outcome.status === 'pending' ? 'retried' : outcome.status });
    // Nearly all go well, as those before them did.
    if (attempted.verdict !== 'delivered' || subscription.failing_since !== null) await this.#note(subscription, attempted);
    return outcome;
  }

  async #note(subscription: Subscription, attempted: Attempted): Promise<void> {
    try {
      await this.#health.note(subscription, attempted);
    } catch (error) {
      // What became of the delivery counts more, and the next failure is noted again.
      this.#context.log.warn({ subscription_id: subscription.id, error: String(error) }, 'how a subscription does was not noted');
    }
  }
}

/** Resolves when no more than `most` of its outcomes are still being stored. */
async function stored(run: Run, most: number): Promise<void> {
  while (run.storing.length > most) await run.storing.shift();
}

/** Its lease lasts for as long as a request may take, and longer. */
function isSafe({ held_at }: Run): boolean {
  return performance.now() - held_at <= LEASE_MARGIN_MS / 2;
}

/** Its lease need not be renewed yet: it is safe for a while. */
function isFresh({ held_at }: Run): boolean {
  return performance.now() - held_at <= LEASE_MARGIN_MS / 4;
}

function idsOf(lanes: readonly HeldLane[]): string[] {
  return lanes.map(({ id }) => id);
}

/** The next one that is to be sent, or a dropped one with nothing behind it that is known. */
function skipDropped(run: Run): WaitingDelivery | undefined {
  while (run.queue.length > 1 && run.queue[0]?.status === 'dropped') {
    const [dropped] = run.queue.splice(0, 1);
    if (dropped) run.lane = { ...run.lane, missing: withMissing(run.lane.missing, dropped) };
  }
  return run.queue.shift();
}

function droppedOutcome({ lane }: Run, delivery: WaitingDelivery): DeliveryOutcome {
  const { attempts, response_code, latency_ms, error } = delivery;
  const missing = withMissing(lane.missing, delivery);
  return { lane, delivery, status: 'dropped', attempts, response_code, latency_ms, error, missing, renews: true };
}

interface Attempt {
  readonly lane: HeldLane;
  readonly subscription: Subscription;
  readonly delivery: WaitingDelivery;
  readonly attempted: Attempted;
  readonly renews: boolean;
  readonly dice: number;
}

/** What is stored of an attempt. */
export function outcomeOf({ lane, subscription, delivery, attempted, renews, dice }: Attempt): DeliveryOutcome {
  const attempts = delivery.attempts + 1;
  const { verdict, response_code, latency_ms, error, retry_after_ms = 0 } = attempted;
  if (verdict === 'delivered')
    return { lane, delivery, status: 'delivered', attempts, response_code, latency_ms, error, renews, missing: [] };
  const told = { lane, delivery, attempts, response_code, latency_ms, error, renews };
  const again_ms = verdict === 'retry' ? pauseBefore(subscription.config.retry, attempts, retry_after_ms, dice) : undefined;
  if (again_ms !== undefined) return { ...told, status: 'pending', again_ms, missing: lane.missing };
  return { ...told, status: 'failed', missing: withMissing(lane.missing, delivery) };
}

/** A delivery that is replayed out of its lane has a number, but is none that this lane lacks. */
function withMissing(missing: readonly number[], { sequence, position }: WaitingDelivery): readonly number[] {
  return sequence === position ? [...missing, sequence].slice(-MOST_MISSING) : missing;
}

function withSequence({ body, sequence }: WaitingDelivery, missing: readonly number[]): string {
  const lost = missing.length === 0 ? '' : `,"missing":${JSON.stringify(missing)}`;
  return `${body.slice(0, -1)},"sequence":${sequence}${lost}}`;
}
