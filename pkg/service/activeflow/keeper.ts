import { LRUCache } from 'lru-cache';
import type { JobRun } from '../../action/types/job_wait.ts';
import { jobWaits } from '../../engine/await.ts';
import { needsFollowUp } from '../../engine/create.ts';
import type { Draft } from '../../engine/draft.ts';
import { decideFollowUp } from '../../engine/follow_up.ts';
import { notFound, unavailable } from '../../error/index.ts';
import type { Activeflow, ActiveflowEventType } from '../../model/activeflow.ts';
import { type Participant, participantOf } from '../../model/participant.ts';
import { isWorkflowCall } from '../../model/workflow.ts';
import type { Writable } from '../../model/writable.ts';
import { type Context, hashId, noLists, worldOf } from '../context.ts';
import { withRecord, withStart } from '../history/keep.ts';
import { followUpRecord, Recording } from '../history/recording.ts';
import type { ListBook, Lists } from '../lists.ts';
import type { ActiveflowCommit, CallSettlement, JobWait } from '../ports.ts';
import type { Responder } from '../workflow/responder.ts';
import { countSteps } from './count.ts';
import { Endings } from './endings.ts';
import { lookAt, wakeAt } from './schedule.ts';
import { Staleness } from './staleness.ts';
import { type Beside, Starter } from './starter.ts';

/** Where committed rows go so that their events are published; pkg/outbox implements it. */
export interface Outbox {
  /** A row was committed: its events are due, those before it first. */
  committed(row: Activeflow): void;
  /** What of a row has been moved on already. */
  moved(id: string): { readonly event_seq: number; readonly trace_seq: number; readonly history_revision?: number };
}

interface CommitOptions {
  /** When the decision was made, in ms; default now. */
  readonly now?: number;
  /** What listened to the decision, when a history is kept. */
  readonly recording?: Recording;
}

/** A row, and whether it was read from the database in this request or only remembered. */
export interface Held {
  readonly row: Activeflow;
  readonly fresh: boolean;
}

export type OnFollowUp = (child: Activeflow) => void;
/** The job whose state is this entry has ended. */
export type OnJobEnd = (participant: Participant, key: string) => void;

/**
 * Keeps activeflows: reads them, remembers them to save a read, lets one request at a time decide on each, and
 * commits. What it remembers is proven by the commit that follows; whatever is answered without a commit
 * must come from a fresh read.
 */
export class Keeper {
  readonly lists: Lists;
  readonly endings = new Endings();
  readonly starter: Starter;
  readonly #context: Context;
  readonly #outbox: Outbox;
  readonly #responder: Responder;
  readonly #rows: LRUCache<string, Activeflow>;
  readonly #staleness = new Staleness();
  readonly #queues = new Map<string, Promise<unknown>>();
  #onFollowUp: OnFollowUp = () => undefined;
  #onJobEnd: OnJobEnd = () => undefined;

  constructor(context: Context, outbox: Outbox, lists: Lists, responder: Responder) {
    this.#context = context;
    this.#outbox = outbox;
    this.#responder = responder;
    this.#rows = new LRUCache({ max: context.options.cached_activeflows });
    this.lists = lists;
    this.starter = new Starter(context, lists);
  }

  /** Who walks the activeflows that an ending one has started. */
  set onFollowUp(listener: OnFollowUp) {
    this.#onFollowUp = listener;
  }

  /** Who tells those that wait for a job at once; their rows are due anyhow. */
  set onJobEnd(listener: OnJobEnd) {
    this.#onJobEnd = listener;
  }

  /** Runs pieces of work on one activeflow one after another, in this process. Never held across a request to a sibling. */
  async exclusive<T>(id: string, work: () => Promise<T>): Promise<T> {
    const before = this.#queues.get(id);
    const mine = before ? before.then(work, work) : work();
    // Without what it results in: a table of a map that has grown old would keep that from being collected.
    const settled = mine.then(nothing, nothing);
    this.#queues.set(id, settled);
    try {
      return await mine;
    } finally {
      if (this.#queues.get(id) === settled) this.#queues.delete(id);
    }
  }

  /** Whose an activeflow is. What is read for it is what the request finds remembered. Empty: it cannot be read, or is not there. */
  customerOf(id: string): string | Promise<string> {
    const known = this.#rows.get(id);
    if (known) return known.customer_id;
    return this.read(id).then(
      ({ customer_id }) => customer_id,
      () => '',
    );
  }

  /** Remembered, unless what is remembered is often behind, or read. Throws NOT_FOUND. */
  async hold(id: string): Promise<Held> {
    const remembered = this.#rows.get(id);
    if (remembered && !this.#staleness.isCommon) return { row: remembered, fresh: false };
    const row = await this.read(id);
    if (remembered) this.#staleness.saw(row.revision !== remembered.revision);
    return { row, fresh: true };
  }

  /** Read from the database, now. Throws NOT_FOUND. */
  async read(id: string): Promise<Activeflow> {
    const row = await this.#context.store.activeflows.get(id);
    if (!row) {
      this.#rows.delete(id);
      throw notFound('activeflow', id);
    }
    const known = this.#rows.get(id);
    // It was committed here while this read was on its way.
    if (known && known.revision > row.revision) return known;
    this.#rows.set(id, row);
    return row;
  }

  /** True while this is the newest revision that this process knows of. */
  isNewest(row: Activeflow): boolean {
    const known = this.#rows.get(row.id);
    return known !== undefined && known.revision === row.revision;
  }

  /** Tells who waits here for what other processes have ended meanwhile. */
  async noticeEndings(): Promise<void> {
    const { ids } = this.endings;
    if (ids.length === 0) return;
    for (const id of await this.#context.store.activeflows.ended(ids)) {
      // Remembered rows are behind: whoever is told must find the end.
      await this.read(id);
      this.endings.ended(id);
    }
  }

  /** A row that was just created. */
  created(row: Activeflow): void {
    this.#rows.set(row.id, row);
    this.#outbox.committed(row);
    const { meter } = this.#context;
    meter.add('activeflow_created_total', { reference_type: row.reference_type || 'none' });
  }

  /**
   * Commits a draft, with the lists that it names stored before; with it the follow-up of its end, and what it answers
   * the caller of a workflow.
   * Undefined: somebody else has changed the row; nothing was written, and the draft is to be thrown away.
   */
  async commit(
    draft: Draft,
    event: ActiveflowEventType | null,
    book: ListBook,
    { now = this.#context.clock.now(), recording }: CommitOptions = {},
  ): Promise<Activeflow | undefined> {
    const { base } = draft;
    for (const list of draft.lists) {
      await this.lists.put(base.id, list.key, list.actions);
      await book.load({ list: list.key, shared: false });
    }
    // Most commits do none of this, and then there is nothing to wait for.
    const child = endsWithFollowUp(draft) ? await this.#followUp(draft, recording) : undefined;
    const settles = isWorkflowCall(base) ? await this.#responder.settlementOf(draft, now) : undefined;
    draft.look_at = lookAt(draft, this.#context);
    const beside = doesMore(draft) ? await this.starter.beside(draft) : NOTHING_BESIDE;
    const creates = child ? [child, ...beside.creates] : beside.creates;
    const moved = this.#outbox.moved(base.id);
    const decided = draft.toRow({ event, moved, now, wake_at: wakeAt(draft, this.#context) });
    const record = () => recording?.record(draft, decided, book.shared, child);
    const row = withRecord(base, decided, moved.history_revision ?? 0, record);
    const { kept, taken } = draft;
    const jobs = waitsOf(draft);
    const variables_changed = draft.variables !== base.variables;
    const change: Writable<ActiveflowCommit> = { next: row, variables_changed, moved: () => this.#outbox.moved(base.id) };
    if (creates.length > 0) change.creates = creates;
    if (beside.participants.length > 0) change.participants = beside.participants;
    if (kept.length + taken.length > 0) change.arrivals = { kept, taken };
    if (settles) change.settles = settles;
    if (jobs) change.jobs = jobs;
    const won = await this.#context.store.activeflows.commit(change);
    if (!this.#staleness.isCommon) this.#staleness.saw(!won);
    if (!won) {
      this.#rows.delete(base.id);
      this.#context.meter.add('commit_conflict_total', {});
      return undefined;
    }
    this.#won(draft, row, creates);
    recording?.goOn();
    if (settles) this.#settled(settles);
    if (beside.ended) this.#onJobEnd(participantOf(base), beside.ended);
    return row;
  }

  #won(draft: Draft, row: Activeflow, children: readonly Activeflow[]): void {
    const ended = draft.base.status === 'running' && row.status === 'ended';
    this.#rows.set(row.id, row);
    this.#outbox.committed(row);
    countSteps(draft.trace, this.#context.meter);
    if (ended) this.#countEnd(row);
    if (row.status === 'ended') this.endings.ended(row.id);
    draft.committed(row);
    for (const child of children) this.started(child);
  }

  #settled(settlement: CallSettlement): void {
    this.#responder.committed(settlement);
    if (settlement.next) this.started(settlement.next.activeflow);
  }

  /** A row that was just created and walks by itself. */
  started(row: Activeflow): void {
    this.created(row);
    this.#onFollowUp(row);
  }

  #countEnd(row: Activeflow): void {
    const { meter, clock } = this.#context;
    const labels = { reference_type: row.reference_type || 'none' };
    meter.add('activeflow_ended_total', labels);
    meter.observe('activeflow_duration_seconds', labels, (clock.now() - Date.parse(row.tm_create)) / 1000);
  }

  /** The activeflow that follows this end, if any, with a history of its own when it is to have one. */
  async #followUp(draft: Draft, recording: Recording | undefined): Promise<Activeflow | undefined> {
    const { base } = draft;
    const { store, options } = this.#context;
    const flow = await store.flows.get(base.on_complete_flow_id);
    recording?.followUp(flow);
    const plain = worldOf(this.#context, noLists);
    const world = recording?.around(plain) ?? plain;
    const id = hashId(`${base.id}/on_complete`);
    const lease_ms = options.lease_ms;
    const keep = options.history ?? 'off';
    if (keep === 'off') return decideFollowUp(draft, flow, { id, lease_ms, world }, world);
    const own = new Recording({ kind: 'follow_up', given: followUpRecord({ ending: draft, flow, id, lease_ms }) });
    const child = decideFollowUp(draft, flow, { id, lease_ms, world: own.around(world) }, world);
    return child && withStart(child, keep, () => own.start(child));
  }
}

const NOTHING_BESIDE: Beside = { creates: [], participants: [] };

const nothing = (): void => undefined;

function endsWithFollowUp({ base, status }: Draft): boolean {
  return needsFollowUp(base.status, status, base.on_complete_flow_id);
}

/** Whether its commit writes more than its own row: entries of its participant, activeflows that it starts, a job's end. */
function doesMore({ base, status, participants, starts }: Draft): boolean {
  return participants.length + starts.length > 0 || (base.state.job !== undefined && status === 'ended');
}

function waitsOf(draft: Draft): ActiveflowCommit['jobs'] {
  const jobs = jobWaits(draft);
  const participant = participantOf(draft.base);
  const own = (runs: readonly JobRun[]): JobWait[] => runs.map((run) => ({ participant, ...run }));
  return jobs && { waits: own(jobs.waits), left: own(jobs.left) };
}

/** How often a change is decided anew after a lost race before its caller is told to come again. */
const MAX_RACES = 50;

export function checkRaces(attempt: number, id: string): void {
  if (attempt < MAX_RACES) return;
  throw unavailable('TOO_MANY_RACES', `activeflow ${id} is changed by too many at once`);
}
