// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${name} is the flow’s own notation
/**
 * What the engine should do, told as simply as it can be told: one mutable state, no rows, no commits, no races. It
 * has nothing of the engine's, so that the two can be held against each other, and knows the types of actions that
 * the model makes, and those only.
 */
import type { Action } from '../../../pkg/model/action.ts';
import type { JsonObject } from '../../../pkg/model/json.ts';
import { id, labelOf } from '../../support/engine_flow.ts';
import type { Surroundings } from './model_flows.ts';
import { Failed, type Frame, Frames, isAbove, Left, passedOver, Refused, type Run, Waiting, waitOf } from './reference_parts.ts';

export class Reference {
  status: 'running' | 'ended' = 'running';
  error: string | undefined;
  current: { readonly id: string; readonly text?: string | undefined } = { id: id('start') };
  previous: string | undefined;
  executed: string[] = [];
  waits: 'block' | 'timer' | undefined;
  deleted = false;
  readonly at: Frames;
  readonly variables = new Map<string, string>();
  readonly asked: string[] = [];
  readonly #answers = new Map<string, string>();
  readonly #around: Surroundings;
  readonly #meanwhile: () => void;
  #run: Run | undefined;
  #started = false;

  constructor(flow: readonly Action[], around: Surroundings, meanwhile: () => void) {
    this.#around = around;
    this.#meanwhile = meanwhile;
    this.at = new Frames(flow);
  }

  /** What a caller is told where the flow now stands. */
  get told(): string {
    if (this.error !== undefined) return `!${this.error}`;
    if (this.status === 'ended') return 'finish';
    return this.current.text === undefined ? labelOf(this.current.id) : `${labelOf(this.current.id)}:${this.current.text}`;
  }

  next(asked: string, key: string): string {
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    if (this.#run) {
      if (this.#run.asked === asked) throw new Waiting();
      throw new Refused('409');
    }
    if (this.status === 'running' && asked === this.current.id && !this.waits) return this.#walk(key);
    if (asked === this.previous) return this.told;
    throw new Refused('409');
  }

  execute(): void {
    if (this.#started) return;
    this.#mustRun();
    if (this.executed.length > 0 || this.#run) return;
    this.#started = true;
    this.#walk('');
  }

  leaveBlock(asked: string): void {
    this.#mustRun();
    if (this.waits !== 'block' || asked !== this.current.id) throw new Refused('409');
    this.#walk('');
  }

  wake(): void {
    if (this.waits === 'timer') this.#walk('');
  }

  forward(target: string): void {
    this.#mustRun();
    const found = this.at.find(target) ?? this.at.findPending(target);
    if (!found) throw new Refused('400');
    this.at.pending = found;
  }

  push(list: readonly Action[]): void {
    this.#mustRun();
    if (list.length === 0) throw new Refused('400');
    if (this.at.count >= this.#around.limits.stacks) throw new Refused('429');
    this.at.push(list);
  }

  add(list: readonly Action[]): void {
    this.#mustRun();
    const { frame } = this.at.place;
    if (list.length === 0 || frame === this.at.main) throw new Refused('400');
    const at = frame.list.findIndex((action) => action.id === this.current.id);
    if (at < 0) {
      this.push(list);
      return;
    }
    if (list.some((action) => frame.list.some((known) => known.id === action.id))) throw new Refused('400');
    frame.list.splice(at + 1, 0, ...list);
  }

  /** Stops the service whose stack is the current one; `right`: by its own id. */
  stopService(right: boolean): void {
    this.#mustRun();
    const { frame } = this.at.place;
    const outer = frame.back?.place.frame;
    if (!right || !outer) throw new Refused('409');
    const next = this.at.drop(frame);
    this.at.pending ??= next;
    this.at.place = { frame: outer, id: this.current.id };
    if (this.#run) this.#run.left = this.#run.deciding;
    if (this.waits) this.#walk('');
  }

  stop(error?: string): boolean {
    if (this.status === 'ended') return false;
    this.#end(error);
    if (this.#run) {
      this.previous = this.#run.asked;
      this.#answers.set(this.#run.key, this.told);
    }
    return true;
  }

  remove(): boolean {
    if (this.deleted) return false;
    this.stop();
    this.deleted = true;
    return true;
  }

  set(value: string): void {
    this.#mustRun();
    this.variables.set('x', value);
  }

  #mustRun(): void {
    if (this.status === 'ended') throw new Refused('409');
  }

  #end(error?: string): void {
    this.status = 'ended';
    this.error = error;
    this.at.pending = undefined;
    this.waits = undefined;
    this.at.place = { frame: this.at.main, id: this.current.id };
  }

  #walk(key: string): string {
    const asked = this.current.id;
    this.waits = undefined;
    this.#run = { asked, key, deciding: false, left: false, steps: 0 };
    while (this.status === 'running' && this.#step(this.#run));
    this.previous = asked;
    this.#run = undefined;
    if (key !== '') this.#answers.set(key, this.told);
    return this.told;
  }

  /** True: on to the next one. */
  #step(run: Run): boolean {
    const target = this.at.next;
    const action = target.frame.list.find((known) => known.id === target.id);
    if (!action) return this.#finish();
    const { actions_per_activeflow, actions_per_request } = this.#around.limits;
    if (this.executed.length >= actions_per_activeflow || run.steps >= actions_per_request) {
      this.#end(this.executed.length >= actions_per_activeflow ? 'ACTIVEFLOW_TOO_LONG' : 'REQUEST_TOO_LONG');
      return false;
    }
    this.executed.push(labelOf(this.current.id));
    this.at.arrive(target);
    this.current = { id: action.id };
    run.steps += 1;
    run.deciding = true;
    run.left = false;
    try {
      return this.#act(action);
    } catch (thrown) {
      if (thrown instanceof Left) return true;
      if (thrown instanceof Failed) return this.#fail(action, thrown.message);
      throw thrown;
    } finally {
      run.deciding = false;
    }
  }

  #finish(): boolean {
    this.executed.push(labelOf(this.current.id));
    this.current = { id: id('finish') };
    this.#end();
    return false;
  }

  #fail(action: Action, reason: string): boolean {
    this.variables.set('voipbin.error.reason', reason);
    const target = action.on_error_target_id && this.at.find(action.on_error_target_id);
    if (target) this.at.goTo(target);
    else if (action.type !== 'webhook_send') this.#end(reason);
    return this.status === 'running';
  }

  #act(action: Action): boolean {
    const { reference } = this.#around;
    const option = action.option ?? {};
    const passed = passedOver(action.type, reference);
    const data = passed ? '' : this.#data(option);
    const text = (value: unknown) =>
      String(value)
        .replaceAll('${voipbin.flow.reference_data}', data)
        .replaceAll('${x}', this.variables.get('x') ?? '');
    if ('text' in option) this.current = { id: action.id, text: text(option.text) };
    return passed || this.#decide(action, option, text);
  }

  /** True: on to the next one. */
  #decide(action: Action, option: JsonObject, text: (value: unknown) => string): boolean {
    switch (action.type) {
      case 'talk':
      case 'block':
      case 'sleep':
        this.waits = waitOf(action.type, this.#around.reference);
        return false;
      case 'stop':
        return this.#finish();
      case 'variable_set':
        this.variables.set(String(option.key), text(option.value));
        return true;
      case 'goto':
        return this.#jumpCounted(action.id, String(option.target_id), Number(option.loop_count));
      case 'branch':
        return this.#branch(option);
      case 'condition_variable':
        return isAbove(text(option.variable), Number(option.value_number)) || this.#jump(String(option.false_target_id));
      case 'condition_call_digits':
        this.#ask(1);
        return this.#around.digits.includes(String(option.key)) || this.#jump(String(option.false_target_id));
      case 'webhook_send':
        this.#ask(1);
        if (option.data === '"fails"') throw new Failed('DOWN');
        return true;
      case 'fetch':
        this.#ask(1);
        this.#pushOr(this.#around.lists[String(option.event_url).slice('https://flows/'.length)]);
        return true;
      case 'queue_join':
        return this.#join(labelOf(String(option.queue_id)));
      default:
        return true;
    }
  }

  #data(option: JsonObject): string {
    const known = ['call', 'conversation'].includes(this.#around.reference);
    if (!known || !JSON.stringify(option).includes('reference_data')) return '';
    this.#ask(0);
    return 'DATA';
  }

  /** Something is asked of a sibling: others have their turn meanwhile. */
  #ask(position: number): void {
    this.asked.push(`${this.executed.length}/${position}`);
    this.#meanwhile();
    if (this.status === 'ended' || this.#run?.left) throw new Left();
  }

  #join(queue: string): boolean {
    this.#ask(1);
    const pushed = this.#pushOr(this.#around.lists[queue]);
    if (this.#run && pushed) this.#run.deciding = false;
    this.#ask(pushed ? 1000 : 2);
    if (!this.#around.deaf.has(queue)) return true;
    if (pushed && this.at.leadsTo(pushed)) this.at.drop(pushed);
    throw new Failed('DOWN');
  }

  #branch(option: JsonObject): boolean {
    const name = String(option.variable);
    const value = this.variables.get(name) ?? '';
    this.variables.set(name, '');
    const target = (option.target_ids as { readonly [value: string]: string })[value] ?? option.default_target_id;
    return target === undefined || this.#jump(String(target));
  }

  #jumpCounted(goto: string, target: string, times: number): boolean {
    if (times === 0) return true;
    const { loops } = this.at.place.frame;
    const count = loops.get(goto) ?? 0;
    if (count >= times) return loops.delete(goto);
    this.#jump(target);
    loops.set(goto, count + 1);
    return true;
  }

  #jump(target: string): true {
    const found = this.at.find(target);
    if (!found) throw new Failed('TARGET_NOT_FOUND');
    this.at.goTo(found);
    return true;
  }

  #pushOr(list: readonly Action[] | undefined): Frame | undefined {
    if (!list) throw new Failed('DOWN');
    if (list.length === 0) return undefined;
    if (this.at.count >= this.#around.limits.stacks) throw new Failed('TOO_MANY_STACKS');
    return this.at.push(list);
  }
}
