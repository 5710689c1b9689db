// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${name} is the flow’s own notation
/** What the recorded histories under test/fixtures/histories are of: every kind of decision at least once. */
import type { Effect, EffectAnswer } from '../../pkg/action/definition.ts';
import { FlowError } from '../../pkg/error/index.ts';
import type { Action } from '../../pkg/model/action.ts';
import type { ReferenceType } from '../../pkg/model/activeflow.ts';
import { isJsonObject, type Json } from '../../pkg/model/json.ts';
import { hashId } from '../../pkg/service/context.ts';
import { ok, refused } from './drive.ts';
import { above, act, branch, empty, fetch, fetchFlow, id, jump, pressed, queueJoin, set, talk, webhook } from './engine_flow.ts';
import { type BenchOptions, HistoryBench, LEASE_MS } from './history_bench.ts';

export interface Scenario {
  readonly name: string;
  readonly flow: readonly Action[];
  /** Other flows of the customer. */
  readonly flows?: { readonly [label: string]: readonly Action[] };
  /** The flow that follows its end, and the one that takes a failure. */
  readonly after?: string;
  readonly fallback?: string;
  /** `workflow`: it is called as one. */
  readonly reference?: ReferenceType | 'workflow';
  readonly limits?: BenchOptions['limits'];
  /** undefined: what a sibling ordinarily answers. */
  readonly answer?: (effect: Effect, play: Play) => EffectAnswer | undefined | Promise<EffectAnswer | undefined>;
  /** Default: asks for one action after another until the end. */
  readonly steps?: (play: Play) => Promise<unknown>;
}

/** One scenario under way. */
export class Play {
  readonly bench: HistoryBench;
  activeflow = '';
  /** How often somebody was asked, for who answers. */
  asked = 0;
  #requests = 0;

  constructor(bench: HistoryBench) {
    this.bench = bench;
  }

  get control() {
    return this.bench.services[0].control;
  }

  /** Key of the next request. */
  key(): string {
    this.#requests += 1;
    return `request ${this.#requests}`;
  }

  async next(): Promise<void> {
    const { state } = await this.bench.row(this.activeflow);
    await this.bench.services[0].next.next({ id: this.activeflow, asked: state.current.id, key: this.key() });
  }

  /** Until it has ended, one way or another. */
  async toEnd(): Promise<void> {
    while ((await this.bench.row(this.activeflow)).status === 'running') {
      await this.next().catch((error) => {
        if (!(error instanceof FlowError)) throw error;
      });
    }
  }

  async execute(): Promise<void> {
    await this.control.execute(this.activeflow, this.key());
    await this.bench.settle(this.activeflow);
  }

  /** Calls the address that the flow has made, as somebody outside does. */
  async send(name: string, body: Json): Promise<void> {
    const { variables } = await this.bench.row(this.activeflow);
    const [id = '', token = ''] = new URL(String(variables[`callback.${name}.url`])).pathname.split('/').slice(3);
    const bytes = new TextEncoder().encode(JSON.stringify(body));
    await this.bench.services[0].callbacks.arrive({ id, token, method: 'POST', headers: {}, query: {}, body: bytes });
    await this.bench.settle(this.activeflow);
  }

  /** The activeflow that this one has started beside itself. */
  async job(): Promise<string> {
    const [made] = await this.bench.startedBy(this.activeflow);
    if (made === undefined) throw new Error('nothing was started');
    return made;
  }

  async wakeAfter(ms: number): Promise<void> {
    this.bench.clock.advance(ms);
    await this.control.wake(await this.bench.row(this.activeflow));
    await this.bench.settle(this.activeflow);
  }
}

const question = (label: string, path: string) =>
  act(label, 'http_request', { method: 'GET', url: `https://flows/${path}`, extract: { asked: '/at' } });
const pushes = (list: readonly Action[]): EffectAnswer => ok({ status: 200, body: list as unknown as Json });
const queue = (list: readonly Action[]): EffectAnswer => ok({ id: id('qcall'), push_actions: list as unknown as Json });

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'order',
    flow: [talk('a', { next: 'c' }), talk('b'), set('c', 'x', 7), empty('d'), talk('e', {}, 'x is ${x}'), act('f', 'dance')],
  },
  {
    name: 'branches',
    flow: [
      talk('a'),
      pressed('b', '1', 'e'),
      branch('c', 'voipbin.call.digits', { 1: 'd' }, 'e'),
      set('d', 'x', '7'),
      above('f', '${x}', 5, 'e'),
      act('g', 'condition_datetime', { condition: '>=', hour: 3, minute: 4, timezone: 'Europe/Rome', false_target_id: id('h') }),
      act('i', 'condition_call_status', { status: 'progressing', false_target_id: id('e') }),
      talk('h'),
      talk('e'),
    ],
    steps: async (play) => {
      await play.next();
      await play.control.setVariables(play.activeflow, { 'voipbin.call.digits': '1' }, play.key());
      await play.toEnd();
    },
  },
  {
    name: 'loops',
    flow: [talk('a'), jump('b', 'a', 2), talk('c'), jump('d', 'a', 1), talk('e'), jump('f', 'x', 1, { error: 'g' }), talk('g')],
  },
  {
    name: 'fetch',
    flow: [fetch('a', 'one'), talk('b')],
    answer: (effect) =>
      effect.kind === 'fetch'
        ? pushes(effect.url.endsWith('one') ? [talk('p'), fetch('q', 'two'), talk('r')] : [talk('s')])
        : undefined,
  },
  { name: 'fetch_flow', flow: [fetchFlow('a', 'other'), talk('b')], flows: { other: [talk('o'), set('p', 'x', 1)] } },
  {
    name: 'queue_join',
    flow: [queueJoin('a', 'queue'), talk('b'), talk('c')],
    answer: (effect) => (effect.kind === 'request' && effect.data !== undefined ? queue([talk('p'), talk('q')]) : undefined),
    steps: async (play) => {
      await play.next();
      await play.control.addActions(play.activeflow, [talk('n')] as never, play.key());
      await play.next();
      await play.control.stopService(play.activeflow, id('qcall'), play.key());
      await play.toEnd();
    },
  },
  {
    name: 'queue_is_deaf',
    flow: [queueJoin('a', 'queue', { error: 'c' }), talk('b'), talk('c', {}, 'sorry: ${voipbin.error.reason}')],
    answer: (effect) => {
      if (effect.kind !== 'request' || effect.to !== 'queue') return undefined;
      return effect.data === undefined ? refused('DOWN') : queue([talk('p')]);
    },
  },
  {
    name: 'failure_taken',
    flow: [fetch('a', 'away', { error: 'c' }), talk('b'), talk('c', {}, '${voipbin.error.type} ${voipbin.error.message}')],
    answer: () => refused('DOWN'),
  },
  { name: 'failure_ends', flow: [talk('a'), fetch('b', 'away'), talk('c')], answer: () => refused('DOWN') },
  {
    name: 'failure_goes_on',
    flow: [webhook('a', '"fails"'), talk('b', {}, '${voipbin.error.reason}'), act('c', 'sleep', { duration: '${y}' }), talk('d')],
    answer: () => refused('DOWN', 'NOT_FOUND'),
  },
  {
    name: 'retry',
    flow: [
      fetch('a', 'away', { retry: { attempts: 2, initial_ms: 100, factor: 3 } }),
      set('b', 'x', '${voipbin.error.reason}'),
      fetch('c', 'gone', { retry: { attempts: 1, initial_ms: 0 }, error: 'e' }),
      set('d', 'x', 'not here'),
      set('e', 'y', '${voipbin.error.reason}'),
    ],
    reference: 'api',
    answer: (effect, play) => {
      if (effect.kind !== 'fetch') return undefined;
      play.asked += 1;
      return effect.url.endsWith('away') && play.asked === 3 ? undefined : refused('DOWN');
    },
    steps: async (play) => {
      await play.execute();
      await play.wakeAfter(101);
      await play.wakeAfter(301);
    },
  },
  {
    name: 'fallback',
    flow: [talk('a'), fetch('b', 'away'), talk('c'), fetch('d', 'away'), talk('e')],
    flows: { spare: [talk('s', {}, 'sorry: ${voipbin.error.reason}'), set('t', 'x', 1)] },
    fallback: 'spare',
    answer: (effect) => (effect.kind === 'fetch' ? refused('DOWN') : undefined),
  },
  { name: 'fallback_missing', flow: [talk('a'), fetch('b', 'away')], fallback: 'gone', answer: () => refused('DOWN') },
  {
    name: 'callback',
    flow: [
      act('a', 'callback_create', { name: 'pay', multi: true }),
      act('b', 'callback_wait', { name: 'pay', into: 'one', while_waiting: [talk('p'), talk('q')] as unknown as Json }),
      talk('c', {}, '${one.body.n}'),
      act('d', 'callback_wait', { name: 'pay', into: 'two' }),
      set('e', 'sum', '${one.body.n} ${two.body.n}'),
    ],
    steps: async (play) => {
      await play.next();
      await play.next();
      await play.send('pay', { n: 1 });
      await play.next();
      await play.send('pay', { n: 2 });
      await play.toEnd();
    },
  },
  {
    name: 'callback_late',
    flow: [
      act('a', 'callback_create', { name: 'pay' }),
      act('b', 'callback_wait', { name: 'pay', timeout: 5_000, timeout_target_id: id('d'), into: 'paid' }),
      set('c', 'x', 'not here'),
      set('d', 'x', '${paid}'),
    ],
    reference: 'api',
    steps: async (play) => {
      await play.execute();
      await play.wakeAfter(5_001);
    },
  },
  {
    name: 'parallel',
    flow: [
      act('a', 'parallel', {
        branches: [
          { name: 'one', actions: [question('f', 'one'), set('g', 'x', '${asked}')] },
          { name: 'two', actions: [set('h', 'y', 2), question('i', 'away')] },
          { name: 'three', actions: [question('j', 'three'), set('k', 'x', 3)] },
        ] as unknown as Json,
      }),
      talk('b', {}, '${parallel.one.status} ${parallel.two.error.reason} ${x}'),
      act(
        'c',
        'parallel',
        { wait: 'any', branches: [{ name: 'four', actions: [question('l', 'away')] }] as unknown as Json },
        { error: 'e' },
      ),
      talk('d'),
      talk('e', {}, '${voipbin.error.reason}'),
    ],
    answer: (effect) => {
      if (effect.kind !== 'fetch') return undefined;
      return effect.url.endsWith('away') ? refused('DOWN') : ok({ status: 200, body: { at: effect.url } });
    },
  },
  {
    name: 'job',
    flow: [
      act('a', 'job_start', { name: 'who', flow_id: id('find'), inputs: { number: '${name}' } }),
      act('b', 'job_start', { name: 'who', flow_id: id('find') }),
      act('c', 'job_wait', { name: 'who', while_waiting: [talk('p')] as unknown as Json }),
      talk('d', {}, '${participant.job.who.status} ${participant.job.who.result.name}'),
      act('e', 'job_wait', { name: 'who' }),
      act('f', 'participant_set', { key: 'seen', value: true }),
    ],
    flows: { find: [act('k', 'block'), act('l', 'workflow_response', { data: { name: '${input.number}' } })] },
    steps: async (play) => {
      await play.next();
      await play.next();
      const job = await play.job();
      await play.bench.settle(job);
      await play.control.leaveBlock(job, id('k'), play.key());
      await play.bench.settle(job);
      await play.bench.settle(play.activeflow);
      await play.toEnd();
    },
  },
  {
    name: 'job_late',
    flow: [
      act('a', 'job_start', { name: 'who', flow_id: id('find') }),
      act('b', 'job_wait', { name: 'who', timeout: 5_000, timeout_target_id: id('d') }),
      set('c', 'x', 'not here'),
      act('d', 'job_wait', { name: 'none' }, { error: 'e' }),
      set('e', 'x', '${voipbin.error.reason}'),
    ],
    flows: { find: [act('k', 'block'), set('l', 'result', 1)] },
    reference: 'api',
    steps: async (play) => {
      await play.execute();
      await play.wakeAfter(5_001);
      await play.control.stop(await play.job(), 'stopped, by request', play.key());
    },
  },
  {
    name: 'workflow',
    flow: [act('a', 'workflow_response', { status: 201, data: { name: '${input.name}' } }), set('b', 'x', 1)],
    reference: 'workflow',
    steps: (play) => play.bench.settle(play.activeflow),
  },
  {
    name: 'service_at_block',
    flow: [act('a', 'ai_talk', { assistance_type: 'ai', assistance_id: id('ai') }), set('b', 'x', 1)],
    reference: 'conversation',
    answer: (effect) => (effect.kind === 'request' && effect.to === 'ai' ? queue([act('k', 'block'), talk('l')]) : undefined),
    steps: async (play) => {
      await play.execute();
      await play.control.stopService(play.activeflow, id('qcall'), play.key());
      await play.bench.settle(play.activeflow);
    },
  },
  {
    name: 'timer',
    flow: [set('a', 'x', 1), act('b', 'sleep', { duration: 5_000 }), talk('c'), set('d', 'y', '${x}')],
    reference: 'api',
    steps: async (play) => {
      await play.execute();
      await play.wakeAfter(5_001);
    },
  },
  {
    name: 'block',
    flow: [act('a', 'block'), talk('b'), act('c', 'conversation_send', { text: 'hi' })],
    reference: 'conversation',
    steps: async (play) => {
      await play.execute();
      await play.control.leaveBlock(play.activeflow, id('a'), play.key());
      await play.bench.settle(play.activeflow);
    },
  },
  {
    name: 'control',
    flow: [talk('a'), talk('b'), talk('c', {}, '${voipbin.flow.reference_data} ${ x } ${z}'), talk('d')],
    steps: async (play) => {
      await play.next();
      await play.control.forward(play.activeflow, id('c'), false, play.key());
      await play.control.push(play.activeflow, [talk('p'), talk('q')], play.key());
      await play.control.setVariables(
        play.activeflow,
        { x: '<${voipbin.activeflow.complete_count}>', y: [1], z: '${y.0}${x}' },
        play.key(),
      );
      await play.control.deleteVariable(play.activeflow, 'y', play.key());
      await play.next();
      await play.next();
      await play.next();
      await play.control.stop(play.activeflow, 'stopped, by request', play.key());
      await play.control.remove(play.activeflow, play.key());
    },
  },
  {
    name: 'others_meanwhile',
    flow: [fetch('a', 'one'), talk('b', {}, '${x}'), talk('c')],
    answer: async (effect, play) => {
      if (effect.kind !== 'fetch') return undefined;
      const [, other] = play.bench.services;
      await other.control.setVariables(play.activeflow, { x: 'set meanwhile' }, play.key());
      await other.control.push(play.activeflow, [talk('m')], play.key());
      return pushes([talk('p')]);
    },
  },
  {
    name: 'stopped_meanwhile',
    flow: [fetch('a', 'one'), talk('b')],
    answer: async (_effect, play) => {
      await play.bench.services[1].control.stop(play.activeflow, 'call has hung up', '');
      return pushes([talk('p')]);
    },
  },
  {
    name: 'taken_over',
    flow: [fetch('a', 'one'), talk('b')],
    reference: 'api',
    answer: async (effect, play) => {
      const row = await play.bench.row(play.activeflow);
      if (effect.kind !== 'fetch' || Object.hasOwn(row.variables, 'seen')) return undefined;
      // The first process stays away so long that another one asks again.
      await play.bench.services[1].control.setVariables(play.activeflow, { seen: true }, play.key());
      play.bench.clock.advance(LEASE_MS * 2);
      await play.bench.services[1].control.wake(await play.bench.row(play.activeflow));
      return refused('TOO_LATE');
    },
    steps: (play) => play.execute(),
  },
  {
    name: 'on_complete',
    flow: [set('a', 'x', 3), talk('b')],
    flows: { after: [set('c', 'y', '${x}'), talk('d')] },
    after: 'after',
  },
  { name: 'on_complete_missing', flow: [talk('a')], after: 'gone' },
  {
    name: 'deadline',
    flow: [talk('a'), talk('b')],
    steps: async (play) => {
      await play.next();
      await play.wakeAfter(86_400_001);
    },
  },
  {
    name: 'limits',
    flow: [set('a', 'x', '${x}${x}1'), jump('b', 'a', 50), talk('c')],
    limits: { actions_per_request: 20 },
  },
];

function ordinarily(effect: Effect): EffectAnswer {
  if (effect.kind === 'fetch') return ok({ status: 200, body: [] });
  if (effect.kind === 'request' && effect.uri.endsWith('/digits')) return ok({ digits: '1' });
  const data = effect.kind === 'request' && isJsonObject(effect.data) ? { id: id('thing') } : {};
  return ok({ id: id('thing'), status: 'progressing', ...data });
}

/** Plays a scenario, and returns its histories by name: its own, and its follow-up's. */
export async function record(scenario: Scenario): Promise<Map<string, Awaited<ReturnType<HistoryBench['history']>>>> {
  const playing: { play?: Play } = {};
  const answer = async (effect: Effect) => {
    const { play } = playing;
    return (play && (await scenario.answer?.(effect, play))) ?? ordinarily(effect);
  };
  const bench = await HistoryBench.open({ keep: 'all', answer, limits: scenario.limits ?? {} });
  try {
    for (const [label, actions] of Object.entries(scenario.flows ?? {})) await bench.addFlow(label, actions);
    const { after, fallback } = scenario;
    await bench.addFlow('main', scenario.flow, {
      ...(after === undefined ? {} : { on_complete_flow_id: id(after) }),
      ...(fallback === undefined ? {} : { fallback_flow_id: id(fallback) }),
    });
    const play = new Play(bench);
    playing.play = play;
    const { reference = 'call' } = scenario;
    play.activeflow = await (reference === 'workflow'
      ? bench.call('main', { name: 'Lee' })
      : bench.create('main', reference, { variables: { name: 'Lee' } }));
    await (scenario.steps?.(play) ?? play.toEnd());
    const histories = new Map([[scenario.name, await bench.history(play.activeflow)]]);
    const child = hashId(`${play.activeflow}/on_complete`);
    if (await bench.store.activeflows.get(child)) {
      await bench.settle(child);
      histories.set(`${scenario.name}_follow_up`, await bench.history(child));
    }
    for (const job of await bench.startedBy(play.activeflow)) {
      if (job === child) continue;
      await bench.settle(job);
      histories.set(`${scenario.name}_beside`, await bench.history(job));
    }
    return histories;
  } finally {
    await bench.close();
  }
}
