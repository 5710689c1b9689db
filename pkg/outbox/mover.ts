import { LRUCache } from 'lru-cache';
import type { Activeflow, PendingEvent } from '../model/activeflow.ts';
import type { Outbox } from '../service/activeflow/keeper.ts';
import { viewColumns } from '../service/activeflow/view.ts';
import type { FlowOutbox } from '../service/flow/flow.ts';
import {
  type ActiveflowStore,
  type Bus,
  EVENT_LEASE_MS,
  type EventStore,
  type HistoryStore,
  isReadable,
  type Log,
  type Meter,
  type OutgoingMessage,
  type StoredEvent,
  type UnreadableActiveflow,
} from '../service/ports.ts';
import { tellUnreadable } from '../service/unreadable.ts';
import { HistoryMover } from './history-mover.ts';
import { NotificationMover, type Notifier } from './notification-mover.ts';
import { PassingMap } from './passing-map.ts';
import { Remembered } from './remembered.ts';
import { TraceMover } from './trace-mover.ts';

/**
 * Moves on what commits have caused: events to the bus, notifications to who listens, traces to rows of their own.
 *
 * Of one activeflow at most one batch of events is under way: the next one leaves when the broker has taken the
 * one before, so that first copies arrive in order. What fails is tried again, for ever, with the same message
 * ids. A process that dies leaves its rows marked unsettled; the sweep of any process takes them from there.
 */
export interface MoverOptions {
  /** Rows whose events wait at the same time; more are left to the sweep. */
  readonly waiting: number;
  /** Trace steps that stay in the row before they move. */
  readonly trace_steps: number;
  /** How old unpublished events of a row must be before a sweep takes them, in ms. */
  readonly sweep_age_ms: number;
}

/** A promise only where something must be looked up. */
export type Render = (row: Activeflow, event: PendingEvent) => readonly OutgoingMessage[] | Promise<readonly OutgoingMessage[]>;
export type RenderFlowEvent = (event: StoredEvent) => OutgoingMessage;

interface Dependencies {
  readonly bus: Bus;
  readonly activeflows: ActiveflowStore;
  readonly events: EventStore;
  readonly histories: HistoryStore;
  readonly meter: Meter;
  readonly log: Log;
  readonly render: Render;
  readonly renderFlowEvent: RenderFlowEvent;
  readonly notifier: Notifier;
  readonly options: MoverOptions;
}

/**
 * How long commits wait for others, to publish what they have caused together: by then the answers are out, and the
 * broker is asked once for many.
 */
const COLLECT_MS = 8;
const RETRY_MS = 500;
const SWEEP_BATCH = 200;

export class Mover implements Outbox, FlowOutbox {
  readonly #deps: Dependencies;
  /** The newest row of each activeflow that still has something to move. */
  readonly #waiting = new PassingMap<string, Activeflow>();
  readonly #busy = new Set<string>();
  readonly #traces: TraceMover;
  readonly #histories: HistoryMover;
  readonly #notifications: NotificationMover;
  readonly #remembered = new Remembered();
  /** Revisions at which rows were found that cannot be read: told once, though every sweep meets them. */
  readonly #unreadable = new LRUCache<string, number>({ max: 10_000 });
  #settled = new Map<string, number>();
  readonly #planned: string[] = [];
  #flowEvents = 0;
  #closing = false;
  /** Pending while what is published fails: one for all rows. */
  #outage: Promise<void> | undefined;
  #idle: (() => void)[] = [];

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#traces = new TraceMover(deps.activeflows, deps.log, deps.options.trace_steps, this.#remembered);
    this.#histories = new HistoryMover(deps.histories, deps.log, this.#remembered);
    this.#notifications = new NotificationMover(deps.notifier, deps.log, this.#remembered);
  }

  moved(id: string): ReturnType<Outbox['moved']> {
    const { event_seq, trace_seq, told_seq, history_revision } = this.#remembered.of(id);
    return { event_seq, trace_seq: Math.min(trace_seq, told_seq), history_revision };
  }

  committed(row: Activeflow): void {
    this.#traces.committed(row);
    const known = this.#waiting.has(row.id);
    if (!known && this.#waiting.size >= this.#deps.options.waiting) return;
    this.#waiting.set(row.id, row);
    this.#settled.delete(row.id);
    // At once: while the broker is away, rows wait for it one behind another.
    void this.#notifications.move(row);
    if (!known) this.#plan(row.id);
  }

  #plan(id: string): void {
    this.#planned.push(id);
    if (this.#planned.length === 1) setTimeout(() => this.#moveAll(this.#planned.splice(0)), COLLECT_MS);
  }

  #moveAll(ids: readonly string[]): void {
    for (const id of ids) if (!this.#busy.has(id)) void this.#move(id);
  }

  flowEvents(events: readonly StoredEvent[]): void {
    if (events.length === 0) return;
    this.#flowEvents += 1;
    this.#publishFlowEvents(events)
      .catch((error) => {
        this.#deps.log.warn({ error: String(error) }, 'events of flows wait for the sweep');
      })
      .finally(() => {
        this.#flowEvents -= 1;
        this.#checkIdle();
      });
  }

  /** Rows that wait here, for the metrics. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Tells the database which rows have nothing to publish any more, many at once. */
  async settle(): Promise<void> {
    if (this.#settled.size === 0) return;
    const rows = [...this.#settled].map(([id, revision]) => ({ id, revision }));
    this.#settled = new Map();
    await this.#deps.activeflows.settled(rows);
  }

  /** Takes what other processes, or this one before it was restarted, have left behind. */
  async sweep(): Promise<void> {
    const { activeflows, events, options } = this.#deps;
    await this.settle();
    for (const row of await activeflows.unsettled(options.sweep_age_ms, SWEEP_BATCH)) {
      if (!isReadable(row)) this.#tellUnreadable(row);
      else if (!this.#waiting.has(row.id)) this.committed(row);
    }
    const claimed = await events.claim(SWEEP_BATCH, EVENT_LEASE_MS);
    if (claimed.length > 0) await this.#publishFlowEvents(claimed);
  }

  /** Its events leave when it is ended, by its deadline or by request: what can be told of them is kept then. */
  #tellUnreadable(row: UnreadableActiveflow): void {
    if (this.#unreadable.get(row.id) === row.revision) return;
    this.#unreadable.set(row.id, row.revision);
    tellUnreadable(this.#deps, { of: 'activeflow', head: viewColumns(row) }, row.unreadable);
  }

  /** Resolves when everything that waits is published, or the time is over: what is left is in the database. */
  async drain(ms: number): Promise<void> {
    const timer = setTimeout(() => this.#giveUp(), ms);
    await new Promise<void>((resolve) => {
      this.#idle.push(resolve);
      this.#checkIdle();
    });
    clearTimeout(timer);
    await this.settle();
  }

  #giveUp(): void {
    this.#closing = true;
    this.#notifications.giveUp();
    this.#waiting.clear();
    this.#flowEvents = 0;
    this.#checkIdle();
  }

  #checkIdle(): void {
    if (this.#waiting.size > 0 || this.#flowEvents > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #move(id: string): Promise<void> {
    this.#busy.add(id);
    try {
      for (let row = this.#waiting.get(id); row && !this.#closing; row = this.#waiting.get(id)) {
        await this.#moveRow(row);
        if (this.#waiting.get(id) === row) {
          this.#waiting.delete(id);
          this.#settled.set(id, row.revision);
        }
      }
    } finally {
      this.#busy.delete(id);
      this.#checkIdle();
    }
  }

  async #moveRow(row: Activeflow): Promise<void> {
    await Promise.all([this.#publishRow(row), this.#notifications.move(row)]);
    if (row.outbox.history) await this.#histories.move(row.id, row.outbox.history);
  }

  async #publishRow(row: Activeflow): Promise<void> {
    const { event_seq } = this.#remembered.of(row.id);
    const events = row.outbox.events.filter((event) => event.seq > event_seq);
    const last = events.at(-1);
    if (last) {
      await this.#publish(row, events);
      this.#remembered.note(row.id).event_seq = last.seq;
    }
  }

  async #publish(row: Activeflow, events: readonly PendingEvent[]): Promise<void> {
    const { meter } = this.#deps;
    const since = performance.now();
    while (!this.#closing) {
      try {
        await this.#send(row, events);
        for (const { type } of events) {
          meter.add('event_publish_total', { type });
          meter.add('notify_total', { type });
          meter.observe('notify_process_time', { type }, performance.now() - since);
        }
        return;
      } catch (error) {
        this.#outage ??= this.#waitOut(row, error);
        await this.#outage;
      }
    }
  }

  async #send(row: Activeflow, events: readonly PendingEvent[]): Promise<void> {
    const { bus, render } = this.#deps;
    const messages: OutgoingMessage[] = [];
    for (const event of events) {
      const rendered = render(row, event);
      messages.push(...(rendered instanceof Promise ? await rendered : rendered));
    }
    // Returned, not awaited: the messages would be kept until the broker has confirmed them, and be among what is old by then.
    return bus.publish(messages);
  }

  /**
   * Until the broker can be reached. One look and one log line for all rows: thousands may wait, and each of them
   * trying by itself would keep the process busy and fill the log for as long as the broker is away.
   */
  async #waitOut({ id, customer_id }: Activeflow, error: unknown): Promise<void> {
    const { bus, log } = this.#deps;
    log.warn(
      { activeflow_id: id, customer_id, waiting: this.#waiting.size, error: String(error) },
      'events wait to be published again',
    );
    let away: boolean;
    do {
      await pause(RETRY_MS);
      away = await bus.check().then(
        () => false,
        () => true,
      );
    } while (away && !this.#closing);
    this.#outage = undefined;
  }

  async #publishFlowEvents(events: readonly StoredEvent[]): Promise<void> {
    const { bus, meter, renderFlowEvent } = this.#deps;
    await bus.publish(events.map(renderFlowEvent));
    for (const { type } of events) meter.add('event_publish_total', { type });
    await this.#deps.events.done(events.map((event) => event.id));
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
