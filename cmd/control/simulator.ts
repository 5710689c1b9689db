import { ACTION_FINISH, ACTION_START } from '../../pkg/model/id.ts';
import { isJsonObject, type Json, type JsonObject } from '../../pkg/model/json.ts';
import { LostAnswer, type RpcClient, RpcError } from './client.ts';
import { actionDuration, isDigitsReceive } from './describe.ts';
import { askUntilAnswered, Interrupted, type Persistence, type World } from './persist.ts';

/** What the caller at the telephone is going to do. */
export interface CallPlan {
  readonly flow_id: string;
  /** Absent: the flow's. */
  readonly customer_id?: string;
  /** One part for each time that digits are asked for; afterwards nothing is pressed. */
  readonly digits: readonly string[];
  readonly hangup_after?: { readonly actions: number } | { readonly ms: number };
  /** How many times as fast as a real telephone; Infinity: no waiting. */
  readonly speed: number;
  readonly variables: { readonly [name: string]: string };
  readonly from: string;
  readonly to: string;
}

/** Is told what happens, to show it. Times in ms since the call began. */
export interface CallWitness {
  began(call: { readonly id: string; readonly activeflow_id: string }): void;
  handed(step: { readonly at: number; readonly latency: number; readonly action: JsonObject }): void;
  pressed(digits: string | undefined): void;
  repeated(error: LostAnswer): void;
}

export type CallEnd = 'finish' | 'hangup' | 'hung_up' | 'interrupted' | 'failed';

export interface CallReport {
  readonly call_id: string;
  readonly activeflow_id: string;
  readonly end: CallEnd;
  /** Why it failed, or why it could not be hung up. */
  readonly error?: unknown;
  readonly actions: number;
  readonly total_ms: number;
  /** How long the same call takes on a real telephone. */
  readonly natural_ms: number;
  /** Of each `next`, in ms. */
  readonly latencies: readonly number[];
}

export type HangUp = (call: { readonly id: string; readonly activeflow_id: string }) => Promise<void>;

/**
 * A call as call-manager leads one: it makes an activeflow, asks for the next action, runs it, asks again. However
 * it ends, the call is hung up, so that no activeflow is left waiting for a caller who is gone.
 *
 * ringing ─▶ progressing ─▶ hangup: at finish, at a hangup action, by plan, by interruption, by an error.
 */
export class CallSimulator {
  readonly id: string;
  readonly activeflow_id: string;
  status: 'ringing' | 'progressing' | 'hangup' = 'ringing';
  /** All digits pressed so far. */
  digits = '';
  readonly #client: RpcClient;
  readonly #plan: CallPlan;
  readonly #world: World;
  readonly #witness: CallWitness;
  readonly #hangUp: HangUp;
  readonly #over = new AbortController();
  #running = new AbortController();
  #end: CallEnd | undefined;
  #received = 0;
  #natural = 0;
  readonly #latencies: number[] = [];

  constructor(client: RpcClient, plan: CallPlan, world: World, witness: CallWitness, hangUp: HangUp) {
    this.#client = client;
    this.#plan = plan;
    this.#world = world;
    this.#witness = witness;
    this.#hangUp = hangUp;
    this.id = world.newId();
    this.activeflow_id = world.newId();
  }

  /** Ends the action being run, as `POST /v1/calls/{id}/action-next {force: true}` does; the next one is asked for. */
  cutOff(): void {
    this.#running.abort();
  }

  /** Ends the call from outside: the first reason stays. */
  end(reason: CallEnd): void {
    this.#end ??= reason;
    this.#over.abort();
    this.#running.abort();
  }

  async run(): Promise<CallReport> {
    const began = this.#world.now();
    this.#witness.began(this);
    this.#limitTime();
    let error = await caught(() => this.#create());
    // A refused or never delivered create has left nothing behind; of any other, nobody can be sure.
    const refused = error instanceof RpcError && error.status_code < 500;
    const nothing = refused || (error instanceof LostAnswer && !error.reached);
    error ??= await caught(() => this.#walk(began));
    this.end(error === undefined || error instanceof Interrupted ? 'interrupted' : 'failed');
    if (error instanceof Interrupted) error = undefined;
    if (!nothing) {
      const dangling = await caught(() => this.#hangUp(this));
      error ??= dangling;
    }
    this.status = 'hangup';
    return {
      call_id: this.id,
      activeflow_id: this.activeflow_id,
      end: this.#end ?? 'failed',
      ...(error === undefined ? {} : { error }),
      actions: this.#latencies.length,
      total_ms: this.#world.now() - began,
      natural_ms: this.#natural,
      latencies: this.#latencies,
    };
  }

  async #create(): Promise<void> {
    const { flow_id, customer_id, variables } = this.#plan;
    const customer = customer_id === undefined ? {} : { customer_id };
    const reference = { reference_type: 'call', reference_id: this.id };
    await this.#ask('POST', '/v1/activeflows', { id: this.activeflow_id, ...customer, flow_id, ...reference, variables }, true);
    this.status = 'progressing';
  }

  /** What a call service tells a flow of its call. */
  async #introduce(): Promise<void> {
    const { from, to } = this.#plan;
    await this.#setVariables({
      'voipbin.call.id': this.id,
      'voipbin.call.direction': 'incoming',
      'voipbin.call.source.type': 'tel',
      'voipbin.call.source.target': from,
      'voipbin.call.destination.type': 'tel',
      'voipbin.call.destination.target': to,
    });
  }

  async #walk(began: number): Promise<void> {
    await this.#introduce();
    let current: string = ACTION_START;
    for (;;) {
      const asked = this.#world.now();
      const action = await this.#ask('GET', `/v1/activeflows/${this.activeflow_id}/next`, { current_action_id: current });
      if (!isJsonObject(action) || typeof action.id !== 'string')
        throw new Error(`next was answered with no action: ${JSON.stringify(action)}`);
      const now = this.#world.now();
      this.#latencies.push(now - asked);
      this.#witness.handed({ at: now - began, latency: now - asked, action });
      if (action.id === ACTION_FINISH) return this.end('finish');
      await this.#perform(action);
      if (action.type === 'hangup') return this.end('hangup');
      const after = this.#plan.hangup_after;
      if (after !== undefined && 'actions' in after && this.#latencies.length >= after.actions) return this.end('hung_up');
      current = action.id;
    }
  }

  async #perform(action: JsonObject): Promise<void> {
    // A fresh controller each time: a cut-off meant for one action must not end the next.
    this.#running = new AbortController();
    if (this.#over.signal.aborted) throw new Interrupted();
    const digits = isDigitsReceive(action) ? this.#press() : undefined;
    const lasts = digits === undefined ? actionDuration(action) : digits.length * 500;
    this.#natural += lasts;
    if (lasts / this.#plan.speed >= 1) await this.#world.sleep(lasts / this.#plan.speed, this.#running.signal);
    if (this.#over.signal.aborted) throw new Interrupted();
    if (digits !== undefined) {
      this.digits += digits;
      await this.#setVariables({ 'voipbin.call.digits': digits });
    }
  }

  #press(): string | undefined {
    const digits = this.#plan.digits[this.#received];
    this.#received += 1;
    this.#witness.pressed(digits === '' ? undefined : digits);
    return digits === '' ? undefined : digits;
  }

  async #setVariables(variables: { readonly [name: string]: string }): Promise<void> {
    await this.#ask('POST', `/v1/variables/${this.activeflow_id}/variables`, { variables });
  }

  #ask(method: 'GET' | 'POST', uri: string, data: Json, onlyIfReachable = false): Promise<Json> {
    const persistence: Persistence = {
      world: this.#world,
      onRepeat: (error) => this.#witness.repeated(error),
      signal: this.#over.signal,
      onlyIfReachable,
    };
    return askUntilAnswered(this.#client, { method, uri, data }, persistence);
  }

  #limitTime(): void {
    const after = this.#plan.hangup_after;
    if (after === undefined || !('ms' in after)) return;
    void this.#world.sleep(after.ms, this.#over.signal).then(() => this.end('hung_up'));
  }
}

/** What was thrown, or undefined. */
async function caught(work: () => Promise<void>): Promise<unknown> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error;
  }
}
