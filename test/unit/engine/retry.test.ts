import { expect } from 'chai';
import { pauseMs } from '../../../pkg/engine/retry.ts';
import { formatTime } from '../../../pkg/engine/world.ts';
import { ok, refused } from '../../support/drive.ts';
import { EngineDriver, UnderWay } from '../../support/engine.ts';
import { fetch, id, labelOf, queueJoin, set, talk, webhook } from '../../support/engine_flow.ts';
import { cases, refusal, traceText } from './cases.ts';
import { failedAt } from './expectations.ts';
import { failing, fetched, joined } from './scripts.ts';

const twice = { attempts: 2, initial_ms: 100, max_ms: 150, factor: 2 };

/** Refuses until this attempt, by the number in the request's id: as a sibling that drops repeats. */
function until<T>(attempt: number, script: (effect: T) => ReturnType<typeof ok> | undefined) {
  return (effect: T, place: string) => (Number(place.split('/')[2] ?? 0) < attempt ? refused('DOWN') : script(effect));
}

const list = fetched({ list: [talk('p')] });

describe('an action that is tried again', () => {
  cases([
    {
      name: 'goes on with the first try that succeeds',
      flow: [talk('a'), fetch('f', 'list', { retry: twice }), talk('z')],
      script: until(2, list),
      hears: 'a p z finish',
      executed: 'start a f p z',
      asks: ['fetch https://flows/list', 'fetch https://flows/list', 'fetch https://flows/list'],
      trace: [
        'a handed_over',
        'f retried DOWN: refused: DOWN; try 1 of 3, again in 100 ms',
        'f retried DOWN: refused: DOWN; try 2 of 3, again in 150 ms',
        'f pushed 1 actions fetched',
        'p handed_over',
        'z handed_over',
        'finish finished nothing comes after the last action',
      ],
    },
    {
      name: 'in a flow that runs by itself',
      reference: 'api',
      flow: [fetch('f', 'list', { retry: twice }), set('s', 'x', '1')],
      script: until(1, fetched({ list: [] })),
      hears: 'finish',
      executed: 'start f s',
    },
    {
      name: 'fails when its tries are used up',
      flow: [talk('a'), fetch('f', 'no', { retry: { attempts: 1 } }), talk('z')],
      script: fetched({}),
      hears: 'a !DOWN',
      executed: 'start a',
      more: failedAt('f', 2),
      trace: ['a handed_over', 'f retried DOWN: refused: DOWN; try 1 of 2, again in 500 ms', 'f failed DOWN: refused: DOWN'],
    },
    {
      name: 'goes to its on_error_target_id only then',
      flow: [fetch('f', 'no', { retry: { attempts: 1 }, error: 'e' }), talk('y'), talk('e')],
      script: fetched({}),
      hears: 'e finish',
    },
    {
      name: 'goes on after failures only then',
      flow: [webhook('w', '{}', { retry: { attempts: 1 } }), talk('z')],
      script: until(1, failing(/nobody/)),
      hears: 'z finish',
      trace: [
        'w retried DOWN: refused: DOWN; try 1 of 2, again in 500 ms',
        'w run webhook sent',
        'z handed_over',
        'finish finished nothing comes after the last action',
      ],
    },
    {
      name: 'that asks for nothing is not: it would fail again',
      flow: [webhook('w', 'no json', { retry: twice }), set('s', 'voipbin.activeflow.id', 'x', { retry: twice })],
      hears: '!VARIABLE_RESERVED',
      asks: [],
      more: (it) => expect(it.trace.map((line) => line.outcome)).to.deep.equal(['failed', 'failed']),
    },
    {
      name: 'each one from the beginning',
      flow: [fetch('f', 'list', { retry: twice }), fetch('g', 'list', { retry: twice }), talk('z')],
      script: until(2, fetched({ list: [] })),
      hears: 'z finish',
      asks: Array(6).fill('fetch https://flows/list'),
    },
    {
      name: 'is told of its push again, and pushes once',
      flow: [queueJoin('j', 'queue', { retry: twice }), talk('y')],
      script: (effect, place) =>
        place.includes('/1000') ? until(1, () => ok(null))(effect, place) : joined([talk('w')])(effect),
      hears: 'w y finish',
      executed: 'start j w y',
      asks: [
        'queue POST /v1/services/type/queuecall',
        'queue POST /v1/queuecalls/qc/status_waiting',
        'queue POST /v1/queuecalls/qc/status_waiting',
      ],
    },
    {
      name: 'is not confused by what others do meanwhile',
      flow: [fetch('f', 'list', { retry: twice }), talk('z')],
      script: until(1, fetched({ list: [] })),
      during: { f: (it) => it.set({ x: '1' }) },
      hears: 'z finish',
      variables_at_end: { x: '1' },
    },
  ]);

  const paused = (reason = 'DOWN') => {
    const answers = [refused(reason), ok({ status: 200, body: [] })];
    const flow = [fetch('f', 'list', { retry: twice }), talk('z')];
    const it = new EngineDriver({ flow, script: () => answers.shift() });
    it.patient = false;
    expect(() => it.next(id('start'), 'n')).to.throw(UnderWay);
    return it;
  };

  it('leaves in its row when the next try is due, and nothing else wakes it', () => {
    const it = paused();
    const due = formatTime(it.clock.now() + 100);
    expect(it.row.state.run?.retry).to.deep.equal({ failed: 1, attempt: 1, due });
    expect(it.row.wake_at).to.equal(due);
    expect(labelOf(it.row.state.current.id)).to.equal('f');
    it.clock.advance(99);
    expect(it.wake()).to.equal('nothing');
    it.clock.advance(1);
    expect(it.wake()).to.equal('run');
  });

  it('asks under a new id after an answer, and under the same one after silence', () => {
    for (const [reason, places] of [
      ['SIBLING_FAILED', ['1/1', '1/1/1']],
      ['SIBLING_TIMEOUT', ['1/1', '1/1']],
      ['SIBLING_BREAKER_OPEN', ['1/1', '1/1']],
    ] as const) {
      const it = paused(reason);
      it.clock.advance(100);
      expect(labelOf(it.next(id('start'), 'n').id)).to.equal('z');
      expect(it.asked.map(({ place }) => place)).to.deep.equal(places);
    }
  });

  it('is over when the flow is stopped meanwhile, and its caller is told', () => {
    const it = paused();
    it.stop('stop');
    expect(labelOf(it.next(id('start'), 'n').id)).to.equal('finish');
    expect([it.row.wake_at, it.row.state.run]).to.deep.equal([null, null]);
    expect(traceText(it).at(-1)).to.equal('f stopped stopped, by request');
  });

  it('may be changed meanwhile, which does not move the next try', () => {
    const it = paused();
    const due = it.row.wake_at;
    it.clock.advance(40);
    it.set({ x: '1' });
    expect(it.row.wake_at).to.equal(due);
  });

  it('pauses as said, never longer than at most', () => {
    expect([0, 1, 2, 9].map((failed) => pauseMs({ attempts: 20 }, failed))).to.deep.equal([500, 1_000, 2_000, 30_000]);
    expect(pauseMs({ attempts: 1, initial_ms: 0 }, 5)).to.equal(0);
    expect(pauseMs({ attempts: 1, initial_ms: 70, max_ms: 50 }, 0)).to.equal(50);
    expect(pauseMs({ attempts: 1, max_ms: 1e9, factor: 10 }, 20)).to.equal(3_600_000);
  });

  it('is refused after the end like any other', () => {
    const it = new EngineDriver({ flow: [fetch('f', 'no', { retry: { attempts: 1 } })], script: fetched({}) });
    expect(refusal(() => it.next(id('start'), 'n'))).to.equal('503 DOWN');
    expect(refusal(() => it.next(id('f'), 'm'))).to.equal('409 ACTIVEFLOW_ENDED');
  });
});
