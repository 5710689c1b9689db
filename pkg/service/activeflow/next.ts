import { begin } from '../../engine/begin.ts';
import { Draft } from '../../engine/draft.ts';
import { considerNext, type NextVerdict } from '../../engine/next.ts';
import { formatTime } from '../../engine/world.ts';
import { type FlowError, unavailable } from '../../error/index.ts';
import type { Action } from '../../model/action.ts';
import type { Activeflow } from '../../model/activeflow.ts';
import type { Context } from '../context.ts';
import { answeredAction, currentAnswer } from './answer.ts';
import { Interrupter } from './interrupter.ts';
import { checkRaces, type Keeper } from './keeper.ts';
import type { Walker } from './walker.ts';

export interface NextRequest {
  readonly id: string;
  /** The action that the caller has just finished. */
  readonly asked: string;
  readonly key: string;
}

/** Until when, in ms, a request waits for the next try of an action; set once it does. */
interface Waiting {
  until?: number;
}

interface Considered {
  readonly row: Activeflow;
  readonly verdict: NextVerdict;
}

/**
 * Answers "what is the next action?". The same request gets the same answer, whichever process it reaches:
 * by its key, by the action it names, or by waiting for the walk that the first copy of it has begun.
 */
export class NextService {
  readonly #context: Context;
  readonly #keeper: Keeper;
  readonly #walker: Walker;
  readonly #interrupter: Interrupter;

  constructor(context: Context, keeper: Keeper, walker: Walker) {
    this.#context = context;
    this.#keeper = keeper;
    this.#walker = walker;
    this.#interrupter = new Interrupter(context);
  }

  async next(request: NextRequest): Promise<Action> {
    const waiting: Waiting = {};
    for (let attempt = 0; ; attempt++) {
      checkRaces(attempt, request.id);
      const considered: { last?: Considered } = {};
      const walked = await this.#walker.walk(request.id, (row, fresh, claimed) => {
        const verdict = considerNext(row, request.asked, request.key);
        considered.last = { row, verdict };
        if (verdict.kind === 'advance') return beginNext(row, request);
        if (verdict.kind === 'under_way' && claimed) return new Draft(row);
        return fresh ? 'nothing' : 'reread';
      });
      if (walked && !walked.state.run) return currentAnswer(walked);
      const answer = considered.last && (await this.#answer(considered.last, request.key, waiting));
      if (answer) return answer;
      // Waiting for somebody else's walk is no lost race: it ends with that walk, or with its lease.
      if (considered.last?.verdict.kind === 'under_way') attempt = 0;
    }
  }

  /** What is answered without walking; undefined: look again. */
  async #answer({ row, verdict }: Considered, key: string, waiting: Waiting): Promise<Action | undefined> {
    if (verdict.kind === 'answered') return answeredAction(row, verdict.answer, this.#context.store.activeflows);
    if (verdict.kind === 'again') {
      // It was cut off before it had the action that it was to be cut off from, and gets that action now: once more.
      void this.#interrupter.cutOff(row, key);
      return currentAnswer(row);
    }
    if (verdict.kind === 'refused') throw verdict.error;
    if (verdict.kind === 'under_way') await this.#await(row, waiting);
    return undefined;
  }

  /** Waits for the walk that is under way, here or in another process; takes it over when its lease is out, or it has broken off. */
  async #await(row: Activeflow, waiting: Waiting): Promise<void> {
    this.#walker.onWait(row.id);
    const here = this.#walker.underWay(row.id);
    if (here) {
      await here.catch(() => undefined);
      return;
    }
    const { clock } = this.#context;
    const due = row.state.run?.retry?.due;
    const pause = due == null ? 0 : Date.parse(due) - clock.now();
    if (pause > 0) {
      waiting.until ??= clock.now() + PATIENCE_MS;
      if (clock.now() + pause > waiting.until) throw later(row);
      await this.#keeper.endings.pause(row.id, pause);
      await this.#keeper.read(row.id);
      return;
    }
    const leased = row.wake_at !== null && row.wake_at > formatTime(clock.now());
    if (leased && !this.#walker.takesOver(row)) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      await this.#keeper.read(row.id);
      return;
    }
    await this.#walker.walk(row.id, (now, fresh, claimed) => {
      if (now.state.run && (claimed || now.revision === row.revision)) return new Draft(now);
      return fresh ? 'nothing' : 'reread';
    });
  }
}

/** How long a request waits for the next try of an action: below the half hour after which a broker takes it back. */
const PATIENCE_MS = 900_000;

function later(row: Activeflow): FlowError {
  const { current, run } = row.state;
  return unavailable(
    'TRIED_AGAIN_LATER',
    `action ${current.id} of activeflow ${row.id} has failed and is tried again at ${run?.retry?.due}`,
  );
}

/** How often a walk of another process is looked at. */
const POLL_MS = 50;

function beginNext(row: Activeflow, request: NextRequest): Draft {
  const draft = new Draft(row);
  begin(draft, 'next', request.key);
  return draft;
}
