/** Whatever is recorded is decided the same again: random flows, random requests, lost races, walks taken over. */
import { expect } from 'chai';
import fc from 'fast-check';
import { FlowError } from '../../../pkg/error/index.ts';
import { isSet } from '../../../pkg/model/id.ts';
import { replay } from '../../../pkg/service/history/replay.ts';
import type { Service } from '../../../pkg/service/service.ts';
import { id } from '../../support/engine_flow.ts';
import { HistoryBench, LEASE_MS } from '../../support/history_bench.ts';
import { answerIn, type Request, type Scene, scene } from '../engine/model_flows.ts';

const RUNS = Number(process.env.FLOW_HISTORY_RUNS ?? 30);

describe('a kept history', () => {
  it('is decided the same again', async function () {
    this.timeout(60_000 + RUNS * 100);
    await fc.assert(fc.asyncProperty(scene, fc.boolean(), recordAndReplay), { numRuns: RUNS });
  });
});

async function recordAndReplay(run: Scene, moving: boolean): Promise<void> {
  const effects = { count: 0 };
  const started: { activeflow?: string } = {};
  const bench = await HistoryBench.open({
    keep: 'all',
    limits: run.around.limits,
    moving,
    answer: async (effect) => {
      const others = run.meanwhile[effects.count++] ?? [];
      for (const other of others) await tell(bench, started.activeflow ?? '', other, `meanwhile ${effects.count}`, true);
      return answerIn(effect, run.around);
    },
  });
  try {
    await bench.addFlow('main', run.flow);
    started.activeflow = await bench.create('main', run.around.reference);
    for (const [at, request] of run.requests.entries()) {
      await tell(bench, started.activeflow, request, `request ${at}`, false);
      await bench.settle(started.activeflow);
    }
    const { revision } = await bench.row(started.activeflow);
    const file = await bench.history(started.activeflow);
    // A walk that was taken over may still go on.
    expect(file.records.length).to.be.at.least(revision);
    expect(replay(file)).to.deep.equal({ decisions: file.records.length });
  } finally {
    await bench.close();
  }
}

/** `aside`: while somebody else's effect is under way; who would wait for its end is left out. */
async function tell(bench: HistoryBench, activeflow: string, request: Request, key: string, aside: boolean): Promise<void> {
  const service = bench.services[aside ? 1 : 0];
  try {
    await send(bench, service, activeflow, request, key, aside);
  } catch (thrown) {
    if (!(thrown instanceof FlowError)) throw thrown;
  }
}

async function send(
  bench: HistoryBench,
  { next, control }: Service,
  activeflow: string,
  request: Request,
  key: string,
  aside: boolean,
): Promise<unknown> {
  const row = await bench.row(activeflow);
  const { state, deadline_at, wake_at } = row;
  switch (request.kind) {
    case 'next':
    case 'repeat': {
      const asked = request.kind === 'next' ? request.asked : 'current';
      const known = asked === 'current' ? state.current.id : asked === 'previous' ? state.previous : asked;
      return aside ? undefined : next.next({ id: activeflow, asked: known, key });
    }
    case 'continue':
      return control.leaveBlock(activeflow, request.asked === 'current' ? state.current.id : request.asked, key);
    case 'execute':
      return control.execute(activeflow, key);
    case 'forward':
      return control.forward(activeflow, request.target, false, key);
    case 'push':
      return control.push(activeflow, request.list, key);
    case 'add':
      return control.addActions(activeflow, request.list, key);
    case 'stop_service':
      return control.stopService(
        activeflow,
        request.right && isSet(state.current_stack_id) ? state.current_stack_id : id('x'),
        key,
      );
    case 'set':
      return control.setVariables(activeflow, { x: request.value }, key);
    case 'stop':
      return control.stop(activeflow, 'stopped, by request', key);
    case 'remove':
      return control.remove(activeflow, key);
    case 'wake':
    case 'late': {
      const due = request.kind === 'late' ? deadline_at : wake_at;
      bench.clock.advance(Math.max(LEASE_MS, Date.parse(due ?? '') - bench.clock.now() || 0));
      // A walk that this one takes over may wait for whom we are in the way of.
      const woken = control.wake(row);
      return aside ? void woken.catch(() => undefined) : woken;
    }
  }
}
