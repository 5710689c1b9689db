/**
 * Runs tables of cases. Each row is one conversation with the engine, told by letters. It is held once as it is, once
 * with every request repeated, and again with commits refused and with processes that die: what the caller hears
 * and what becomes of the activeflow must be the same each time.
 */
import { expect } from 'chai';
import { FlowError } from '../../../pkg/error/index.ts';
import type { Action } from '../../../pkg/model/action.ts';
import { ACTION_FINISH, ACTION_START } from '../../../pkg/model/id.ts';
import { EngineDriver } from '../../support/engine.ts';
import { labelOf } from '../../support/engine_flow.ts';
import type { Asked, Setting } from '../../support/engine_process.ts';
import { same } from '../../support/engine_rules.ts';

type Others = { readonly [label: string]: (it: EngineDriver) => void };

export interface Case extends Omit<Setting, 'mishaps'> {
  readonly name: string;
  /** What is done before anybody asks for the first action. */
  readonly before?: (it: EngineDriver) => void;
  /** What others do once the caller was handed this action, or when the flow waits at it. */
  readonly at?: Others;
  /** What others do while an effect of this action is under way: the first one, or `label/position`. */
  readonly during?: Others;
  /** Labels of what the caller hears, or where the flow waits; `finish`; `!REASON` of an error. */
  readonly hears: string;
  /** executed_actions at the end. */
  readonly executed?: string;
  /** What siblings were asked: `to method uri`, `fetch url`. */
  readonly asks?: readonly string[];
  readonly variables_at_end?: { readonly [name: string]: unknown };
  /** Lines of the trace, `label outcome reason`. */
  readonly trace?: readonly string[];
  /** Anything else. */
  readonly more?: (it: EngineDriver) => void;
}

interface Variant {
  readonly repeat?: boolean;
  /** Asked for each chance in turn, from 0: whether a commit is refused there, whether the process dies there. */
  readonly refuse?: (chance: number) => boolean;
  readonly crash?: (chance: number) => boolean;
}

/** The chances from, from + 2, from + 5, from + 9 …: ever farther apart, so that every walk gets on in the end. */
function rarer(from: number): (chance: number) => boolean {
  return (chance) => chance >= from && Number.isInteger((Math.sqrt(8 * (chance - from) + 9) - 3) / 2);
}

const VARIANTS: { readonly [name: string]: Variant } = {
  'every request repeated': { repeat: true },
  'commits refused from the first on': { refuse: rarer(0) },
  'commits refused from the second on': { refuse: rarer(1) },
  'crashes from the first chance on': { crash: rarer(0) },
  'crashes from the second chance on': { crash: rarer(1) },
  'crashes from the fourth chance on': { crash: rarer(3) },
};

export function cases(rows: readonly Case[]): void {
  for (const row of rows) {
    it(row.name, () => {
      const plain = hold(row, {});
      check(row, plain);
      const told = story(plain);
      for (const [name, variant] of Object.entries(VARIANTS)) compare(hold(row, variant), told, name);
    });
  }
}

interface Held {
  readonly driver: EngineDriver;
  readonly heard: string;
}

function hold(row: Case, variant: Variant): Held {
  const chances = { refuse: 0, crash: 0 };
  const mishap = (kind: 'refuse' | 'crash') => () => variant[kind]?.(chances[kind]++) ?? false;
  const others = { ...row.during };
  const during = ({ place }: Asked) => {
    const current = labelOf(driver.row.state.current.id);
    const exact = `${current}/${place.slice(place.indexOf('/') + 1)}`;
    const label = exact in others ? exact : current;
    others[label]?.(driver);
    delete others[label];
  };
  const mishaps = { refuse: mishap('refuse'), crash: mishap('crash'), during };
  const driver = new EngineDriver({ ...row, mishaps, serialised: variant.refuse === undefined && !variant.repeat });
  row.before?.(driver);
  const heard = converse(driver, row.at, variant.repeat).join(' ');
  expect(Object.keys(others), 'what others do during effects that were never asked').to.deep.equal([]);
  return { driver, heard };
}

function check(row: Case, { driver, heard }: Held): void {
  expect(heard, 'heard').to.equal(row.hears);
  if (row.executed !== undefined) expect(driver.executed, 'executed').to.equal(row.executed);
  if (row.asks)
    expect(
      driver.asked.map(({ effect }) => effectText(effect)),
      'asked',
    ).to.deep.equal(row.asks);
  if (row.variables_at_end) expect(driver.row.variables).to.deep.include(row.variables_at_end);
  if (row.trace) expect(traceText(driver)).to.deep.equal(row.trace);
  row.more?.(driver);
}

function compare(held: Held, told: object, what: string): void {
  const found = story(held);
  // Only what differs is worth the time of a comparison that tells how.
  if (!same(found, told)) expect(found, what).to.deep.equal(told);
}

/** All that must not depend on races, crashes and repeats. */
function story({ driver, heard }: Held): object {
  const { row } = driver;
  const asked = new Map(driver.asked.map(({ place, effect }) => [place, effectText(effect)]));
  return {
    heard,
    executed: driver.executed,
    trace: traceText(driver),
    status: row.status,
    current: labelOf(row.state.current.id),
    step: row.state.step,
    error: row.state.error,
    wait: row.state.wait,
    variables: row.variables,
    asked: [...asked.entries()],
  };
}

/** Asks on until the flow is over or waits: a call's caller by `next`, anything else by `execute`. */
export function converse(driver: EngineDriver, at: Others = {}, repeat = false): string[] {
  const others = { ...at };
  const heard = driver.row.reference_type === 'call' ? ask(driver, others, repeat) : run(driver, others, repeat);
  expect(Object.keys(others), 'what others do at places that were never reached').to.deep.equal([]);
  return heard;
}

function ask(driver: EngineDriver, others: { [label: string]: (it: EngineDriver) => void }, repeat: boolean): string[] {
  const heard: string[] = [];
  for (let asked = ACTION_START, n = 0; n < 200; n++) {
    const answer = answered(() => driver.next(asked, `next ${n}`));
    if (repeat) again(driver, asked, n, answer);
    if (answer instanceof FlowError) return [...heard, `!${answer.reason}`];
    const label = labelOf(answer.id);
    heard.push(label);
    if (answer.id === ACTION_FINISH || driver.row.state.wait) return heard;
    const turn = others[label];
    delete others[label];
    turn?.(driver);
    if (repeat)
      expect(
        answered(() => driver.next(asked, `next ${n}`)),
        'the same key later',
      ).to.deep.equal(answer);
    asked = answer.id;
  }
  throw new Error(`never ends: ${heard.join(' ')}`);
}

/** The same request again: by its key, and as a retry that has a key of its own. */
function again(driver: EngineDriver, asked: string, n: number, answer: Action | FlowError): void {
  const { revision } = driver.row;
  expect(
    answered(() => driver.next(asked, `next ${n}`)),
    'the same key',
  ).to.deep.equal(answer);
  const advances = driver.row.status === 'running' && driver.row.state.current.id === asked;
  if (!advances)
    expect(
      answered(() => driver.next(asked, `retry ${n}`)),
      'a retry',
    ).to.deep.equal(answer);
  expect(driver.row.revision, 'a repeat changes nothing').to.equal(revision);
}

export function answered(request: () => Action): Action | FlowError {
  try {
    return request();
  } catch (thrown) {
    if (thrown instanceof FlowError) return thrown;
    throw thrown;
  }
}

function run(driver: EngineDriver, others: { [label: string]: (it: EngineDriver) => void }, repeat: boolean): string[] {
  const heard: string[] = [];
  driver.execute('execute');
  if (repeat) driver.execute('execute');
  if (repeat && driver.row.status === 'running') driver.execute('execute again');
  for (let n = 0; !isOver(driver) && n < 200; n++) {
    const { current, wait, step } = driver.row.state;
    const label = labelOf(current.id);
    heard.push(label);
    others[label]?.(driver);
    delete others[label];
    if (isOver(driver)) return heard;
    if (driver.row.state.step !== step) continue;
    if (wait?.kind === 'block') driver.leaveBlock(current.id, `continue ${n}`);
    if (wait?.due != null) {
      driver.clock.advance(Date.parse(wait.due) - driver.clock.now());
      expect(driver.wake(), 'what is due').to.be.oneOf(['timer', 'timeout']);
    }
    if (!wait) return heard;
  }
  const { error } = driver.row.state;
  return [...heard, error ? `!${error.reason}` : labelOf(driver.row.state.current.id)];
}

function isOver(driver: EngineDriver): boolean {
  return driver.row.status === 'ended';
}

function effectText(effect: Asked['effect']): string {
  if (effect.kind === 'request') return `${effect.to} ${effect.method} ${labels(effect.uri)}`;
  if (effect.kind === 'fetch') return `fetch ${effect.url}`;
  if (effect.kind === 'callback') return `callback ${effect.name}`;
  if (effect.kind === 'look') return `look ${effect.signal}`;
  if (effect.kind === 'participant') return 'participant';
  return effect.kind === 'flow' ? `flow ${labelOf(effect.id)}` : `make_flow ${effect.name}`;
}

/** Ids in a text as their labels. */
export function labels(text: string): string {
  return text.replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, labelOf);
}

export function traceText(driver: EngineDriver): string[] {
  return driver.trace.map((line) => `${labelOf(line.action.id)} ${line.outcome} ${labels(line.reason)}`.trim());
}

/** The reason of the error that a request is refused with; it is an error that it is not. */
export function refusal(request: () => unknown): string {
  try {
    request();
  } catch (thrown) {
    if (thrown instanceof FlowError) return `${thrown.code} ${thrown.reason}`;
    throw thrown;
  }
  throw new Error('it was not refused');
}
