/**
 * The engine against the reference: random flows, random requests, others that act while effects are under way. The
 * engine alone has lost races, refused commits and crashes; none of them may show in what anybody is told.
 * FLOW_MODEL_RUNS runs more of them, FLOW_MODEL_SEED the same ones again.
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { FlowError } from '../../../pkg/error/index.ts';
import { EngineDriver, UnderWay } from '../../support/engine.ts';
import { id, labelOf } from '../../support/engine_flow.ts';
import { checkAtRest } from '../../support/engine_rules.ts';
import { answerIn, type Request, type Scene, scene } from './model_flows.ts';
import { Reference } from './reference.ts';
import { Refused, Waiting } from './reference_parts.ts';

const RUNS = Number(process.env.FLOW_MODEL_RUNS ?? 200);
const SEED = process.env.FLOW_MODEL_SEED;
const DEADLINE_MS = 1e9;

/** One side of the comparison: what a request does to it, said in words. */
interface Side {
  readonly said: string[];
  next(asked: string, key: string): string;
  request(request: Request, key: string): unknown;
  readonly current: string;
  readonly previous: string;
}

describe('the engine', () => {
  it('does what the reference does, in spite of races and crashes', function () {
    this.timeout(60_000 + RUNS * 20);
    fc.assert(fc.property(scene, compare), {
      numRuns: RUNS,
      ...(SEED === undefined ? {} : { seed: Number(SEED) }),
    });
  });
});

function compare(run: Scene): void {
  const engine = new Engine(run);
  const reference = new Model(run);
  run.requests.forEach((request, at) => {
    const key = `request ${at}`;
    tell(reference, request, key);
    tell(engine, request, key);
    const where = `request ${at}: ${JSON.stringify(request)}`;
    expect(engine.said, where).to.deep.equal(reference.said);
    expect(engine.state, where).to.deep.equal(reference.state);
    checkAtRest(engine.driver.row);
  });
}

/** Makes a request of one side, and notes what it was told. */
function tell(side: Side & { sent: { asked: string; key: string }[] }, request: Request, key: string): void {
  const said = said_(() => {
    if (request.kind !== 'next' && request.kind !== 'repeat') return side.request(request, key);
    const again = request.kind === 'repeat' ? side.sent[request.which % Math.max(1, side.sent.length)] : undefined;
    const asked = request.kind === 'next' ? named(side, request.asked) : side.current;
    const sent = again ?? { asked, key };
    if (!again) side.sent.push(sent);
    return side.next(sent.asked, sent.key);
  });
  side.said.push(`${request.kind} ${said}`);
}

function said_(request: () => unknown): string {
  try {
    const told = request();
    return typeof told === 'string' ? told : 'done';
  } catch (thrown) {
    if (thrown instanceof UnderWay || thrown instanceof Waiting) return 'under way';
    if (thrown instanceof Refused) return thrown.message;
    if (thrown instanceof FlowError) return String(thrown.code);
    throw thrown;
  }
}

function named(side: Side, asked: string): string {
  if (asked === 'current') return side.current;
  return asked === 'previous' ? side.previous : asked;
}

class Engine implements Side {
  readonly said: string[] = [];
  readonly sent: { asked: string; key: string }[] = [];
  readonly driver: EngineDriver;

  constructor({ flow, around, meanwhile, refusals, crashes }: Scene) {
    const chances = { refuse: 0, crash: 0, effect: 0 };
    this.driver = new EngineDriver({
      flow,
      reference: around.reference,
      limits: { ...around.limits, answers: 100 },
      deadline_ms: DEADLINE_MS,
      script: (effect) => answerIn(effect, around),
      mishaps: {
        refuse: () => refusals[chances.refuse++] ?? false,
        crash: () => crashes[chances.crash++] ?? false,
        during: () => {
          const at = chances.effect++;
          for (const [n, request] of (meanwhile[at] ?? []).entries()) tell(this, request, `meanwhile ${at} ${n}`);
        },
      },
    });
  }

  get current(): string {
    return this.driver.row.state.current.id;
  }

  get previous(): string {
    return this.driver.row.state.previous;
  }

  get state(): object {
    const { status, state, variables } = this.driver.row;
    return {
      status,
      error: state.error?.reason,
      current: labelOf(state.current.id),
      executed: this.driver.executed,
      step: state.step,
      waits: state.wait?.kind,
      pending: state.forward ? labelOf(state.forward.action_id) : undefined,
      stacks: state.stacks.length,
      x: variables.x ?? '',
      failed: variables['voipbin.error.reason'],
      asked: [...new Set(this.driver.asked.map(({ place }) => place))],
    };
  }

  next(asked: string, key: string): string {
    try {
      const { id: given, option } = this.driver.next(asked, key);
      return option && 'text' in option ? `${labelOf(given)}:${option.text}` : labelOf(given);
    } catch (thrown) {
      const { error } = this.driver.row.state;
      if (error && thrown instanceof FlowError && thrown.reason === error.reason) return `!${error.reason}`;
      throw thrown;
    }
  }

  request(request: Request, key: string): unknown {
    const { driver } = this;
    switch (request.kind) {
      case 'execute':
        return driver.execute(key);
      case 'continue':
        return driver.leaveBlock(named(this, request.asked), key);
      case 'wake':
      case 'late':
        return this.#wake(request.kind);
      case 'forward':
        return driver.forward(request.target, key);
      case 'push':
        return driver.push(request.list, key);
      case 'add':
        return driver.add(request.list, key);
      case 'stop_service':
        return driver.stopService(request.right ? driver.row.state.current_stack_id : id('x'), key);
      case 'set':
        return driver.set({ x: request.value }, key);
      case 'stop':
        return driver.stop(key);
      case 'remove':
        return driver.remove(key);
      default:
        throw new Error(`no request ${request.kind}`);
    }
  }

  #wake(kind: 'wake' | 'late'): void {
    const { wait } = this.driver.row.state;
    if (kind === 'late') this.driver.clock.advance(DEADLINE_MS);
    else if (wait?.due != null) this.driver.clock.advance(Math.max(0, Date.parse(wait.due) - this.driver.clock.now()));
    this.driver.wake();
  }
}

class Model implements Side {
  readonly said: string[] = [];
  readonly sent: { asked: string; key: string }[] = [];
  readonly #reference: Reference;

  constructor({ flow, around, meanwhile }: Scene) {
    const effects = { count: 0 };
    this.#reference = new Reference(flow, around, () => {
      const at = effects.count++;
      for (const [n, request] of (meanwhile[at] ?? []).entries()) tell(this, request, `meanwhile ${at} ${n}`);
    });
  }

  get current(): string {
    return this.#reference.current.id;
  }

  get previous(): string {
    return this.#reference.previous ?? id('none');
  }

  get state(): object {
    const { status, error, current, executed, waits, at, variables, asked } = this.#reference;
    return {
      status,
      error,
      current: labelOf(current.id),
      executed: executed.join(' '),
      step: executed.length,
      waits,
      pending: at.pending && labelOf(at.pending.id),
      stacks: at.count,
      x: variables.get('x') ?? '',
      failed: variables.get('voipbin.error.reason'),
      asked,
    };
  }

  next(asked: string, key: string): string {
    return this.#reference.next(asked, key);
  }

  request(request: Request): unknown {
    const reference = this.#reference;
    switch (request.kind) {
      case 'continue':
        return reference.leaveBlock(named(this, request.asked));
      case 'late':
        return reference.stop('DEADLINE_EXCEEDED');
      case 'forward':
        return reference.forward(request.target);
      case 'push':
      case 'add':
        return reference[request.kind](request.list);
      case 'stop_service':
        return reference.stopService(request.right);
      case 'set':
        return reference.set(request.value);
      case 'execute':
      case 'wake':
      case 'stop':
      case 'remove':
        return reference[request.kind]();
      default:
        throw new Error(`no request ${request.kind}`);
    }
  }
}
