/**
 * Drives the pure engine as the services do, so that a test reads as a call service's conversation: it asks for the
 * next action, pushes, forwards, stops. Everything is synchronous, and nothing is sent anywhere.
 */

import { begin } from '../../pkg/engine/begin.ts';
import * as change from '../../pkg/engine/change.ts';
import { Draft } from '../../pkg/engine/draft.ts';
import { considerNext, type NextVerdict } from '../../pkg/engine/next.ts';
import { formatTime, type World } from '../../pkg/engine/world.ts';
import type { Action, Variables } from '../../pkg/model/action.ts';
import { type Answer, FINISH, START } from '../../pkg/model/activeflow.ts';
import type { Json } from '../../pkg/model/json.ts';
import { answerAtHand, currentAnswer } from '../../pkg/service/activeflow/answer.ts';
import { labelOf } from './engine_flow.ts';
import { EngineProcess } from './engine_process.ts';
import { checkAtRest } from './engine_rules.ts';

/** A request that arrives while the same one is under way: the services let it wait for the first one's answer. */
export class UnderWay extends Error {}

export class EngineDriver extends EngineProcess {
  /** False: time stands still before the next try of a failed action, for a test to look. */
  patient = true;

  /** Asks for the next action until there is an answer, as a caller does that repeats what got none. */
  next(asked: string, key = ''): Action {
    for (;;) {
      const answer = this.survive(() => this.#tryNext(asked, key));
      if (answer) return answer;
    }
  }

  #tryNext(asked: string, key: string): Action | undefined {
    const considered: { verdict?: NextVerdict } = {};
    const walked = this.walk((claimed) => {
      const verdict = considerNext(this.row, asked, key);
      considered.verdict = verdict;
      if (verdict.kind === 'under_way' && claimed) return new Draft(this.row);
      if (verdict.kind !== 'advance') return undefined;
      const draft = new Draft(this.row);
      begin(draft, 'next', key);
      return draft;
    });
    const { verdict } = considered;
    if (walked && this.row.state.run) return undefined;
    if (walked || verdict?.kind === 'again') return currentAnswer(this.row);
    if (verdict?.kind === 'answered') return this.#answered(verdict.answer);
    if (verdict?.kind === 'refused') throw verdict.error;
    if (this.busy > 0 || this.#pauses) throw new UnderWay(`asked ${labelOf(asked)}`);
    // The first copy of it died with its process: whoever repeats it takes its walk over.
    this.#resume();
    return undefined;
  }

  #answered(answer: Answer): Action {
    const line = this.trace.find((known) => known.step !== undefined && known.step === answer.step);
    return answerAtHand(this.row, answer) ?? (line ? (line.action as Action) : FINISH);
  }

  execute(key = ''): void {
    this.change(key, (draft) => change.execute(draft), null);
    this.settle();
  }

  leaveBlock(asked: string, key = ''): void {
    this.change(key, (draft, world) => change.leaveBlock(draft, asked, world), null);
    this.settle();
  }

  forward(target: string, key = ''): void {
    this.change(key, (draft, world) => change.forward(draft, target, world));
  }

  push(actions: readonly Action[], key = ''): void {
    this.change(key, (draft, world) => change.push(draft, actions, world));
  }

  add(actions: readonly Action[], key = ''): void {
    this.change(key, (draft, world) => change.addActions(draft, actions, world));
  }

  stopService(service: string, key = ''): void {
    const stoodStill = this.row.state.wait !== null;
    this.change(key, (draft, world) => change.stopService(draft, service, world));
    if (stoodStill) this.settle();
  }

  set(values: Variables, key = ''): void {
    this.change(key, (draft, world) => change.setVariablesOf(draft, values, world), null);
  }

  unset(name: string, key = ''): void {
    this.change(key, (draft) => change.deleteVariableOf(draft, name), null);
  }

  /** True: it was waited for. */
  signal(name: string, value: Json = null): boolean {
    const given: { draft?: Draft } = {};
    const decide = (draft: Draft, world: World): void => {
      change.signal(draft, name, value, world);
      given.draft = draft;
    };
    this.change('', decide, null);
    this.settle();
    return given.draft?.signalled ?? false;
  }

  /** False: it had ended before. */
  stop(key = ''): boolean {
    return this.change(key, (draft, world) => change.stop(draft, 'stopped, by request', world));
  }

  remove(key = ''): boolean {
    return this.change(key, (draft, world) => change.remove(draft, world), 'activeflow_deleted');
  }

  /** Does what is due by now with nobody asking, and says what that was. */
  wake(): change.Due {
    const what = change.due(this.row, formatTime(this.clock.now()));
    if (what === 'deadline') {
      const error = { status: 'FAILED_PRECONDITION', reason: 'DEADLINE_EXCEEDED', message: 'too late' };
      this.change('', (draft, world) => change.stopWithError(draft, error, world));
    }
    if (what === 'timer') this.change('', (draft, world) => change.fireTimer(draft, world), null);
    if (what === 'timeout') this.change('', (draft, world) => change.timeOut(draft, world), null);
    if (what === 'timer' || what === 'timeout' || what === 'run') this.settle();
    return what;
  }

  /** Walks on what somebody has begun and nobody is at any more. */
  settle(): void {
    if (this.busy > 0) return;
    while (this.row.state.run && !this.#pauses) this.survive(() => this.#resume());
    if (!this.#pauses) checkAtRest(this.row);
  }

  /** Labels of all actions left behind, as the wire's executed_actions. */
  get executed(): string {
    if (this.row.state.step === 0) return '';
    const lines = this.trace.filter((line) => line.step !== undefined && line.step < this.row.state.step);
    return [START, ...lines.map((line) => line.action)].map((action) => labelOf(action.id)).join(' ');
  }

  get #pauses(): boolean {
    const due = this.row.state.run?.retry?.due;
    return !this.patient && due != null && due > formatTime(this.clock.now());
  }

  #resume(): void {
    const due = this.row.state.run?.retry?.due;
    if (due != null) this.clock.advance(Math.max(0, Date.parse(due) - this.clock.now()));
    this.walk(() => (this.row.state.run ? new Draft(this.row) : undefined));
  }
}
