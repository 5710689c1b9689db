import { expect } from 'chai';
import { asCreated } from '../../../pkg/engine/create.ts';
import { Draft, snapshotOf } from '../../../pkg/engine/draft.ts';
import { formatTime } from '../../../pkg/engine/world.ts';
import type { Activeflow, Stack } from '../../../pkg/model/activeflow.ts';
import { EngineDriver } from '../../support/engine.ts';
import { fetch, id, queueJoin, talk } from '../../support/engine_flow.ts';
import { following, sampleActiveflow } from '../../support/samples.ts';
import { cases, converse, labels } from './cases.ts';
import { either, fetched, joined } from './scripts.ts';

const NOW = Date.parse('2026-01-02T03:04:05Z');
const OPTIONS = { now: NOW, wake_at: null, moved: { event_seq: 0, trace_seq: 0 } } as const;

describe('a draft becomes a row', () => {
  it('one revision on, nothing else changed, the row it came from untouched', () => {
    const base = Object.freeze(sampleActiveflow());
    const row = new Draft(base).toRow({ ...OPTIONS, event: null });
    expect(row).to.deep.equal(following(base, { tm_update: formatTime(NOW) }));
  });

  it('with an event that takes its look from the row until something changes', () => {
    const base = sampleActiveflow();
    const first = new Draft(base).toRow({ ...OPTIONS, event: 'activeflow_updated' });
    expect(first.outbox.events).to.deep.equal([{ seq: 1, type: 'activeflow_updated' }]);
    const draft = new Draft(first);
    draft.status = 'ended';
    const second = draft.toRow({ ...OPTIONS, event: 'activeflow_deleted' });
    expect(second.outbox.events).to.deep.equal([
      { seq: 1, type: 'activeflow_updated', snapshot: snapshotOf(first) },
      { seq: 2, type: 'activeflow_deleted' },
    ]);
    const third = new Draft(second).toRow({ ...OPTIONS, event: null });
    expect(third.outbox.events.map((event) => event.snapshot?.status)).to.deep.equal(['running', 'ended']);
    expect(third.state.event_seq).to.equal(2);
  });

  it('with an event that keeps the stacks that a later commit changes, from the commit that changes them on', () => {
    const created = sampleActiveflow({ outbox: { events: [{ seq: 1, type: 'activeflow_created' }], trace: [] } });
    const first = new Draft(created).toRow({ ...OPTIONS, event: null });
    expect(first.outbox.events[0]?.snapshot).to.not.have.property('stacks');
    const draft = new Draft(first);
    draft.stacks = [...draft.stacks, { ...(draft.stacks[0] as Stack), id: id('pushed') }];
    const pushed = draft.toRow({ ...OPTIONS, event: null });
    expect(pushed.outbox.events[0]?.snapshot?.stacks).to.deep.equal(created.state.stacks);
    const ending = new Draft(pushed);
    ending.end();
    const ended = ending.toRow({ ...OPTIONS, event: 'activeflow_deleted' });
    expect(ended.outbox.events[0]?.snapshot?.stacks).to.deep.equal(created.state.stacks);
    expect(new Draft(ended).toRow({ ...OPTIONS, event: null }).outbox.events[1]?.snapshot).to.not.have.property('stacks');
  });

  it('without what was moved on already', () => {
    const rows: Activeflow[] = [sampleActiveflow()];
    for (let n = 0; n < 3; n++) {
      const draft = new Draft(rows.at(-1) ?? sampleActiveflow());
      draft.note('updated', `line ${n}`, { now: () => NOW } as never);
      rows.push(draft.toRow({ ...OPTIONS, event: 'activeflow_updated' }));
    }
    const last = new Draft(rows.at(-1) ?? sampleActiveflow());
    const row = last.toRow({ ...OPTIONS, event: null, moved: { event_seq: 2, trace_seq: 1 } });
    expect(row.outbox.events.map((event) => event.seq)).to.deep.equal([3]);
    expect(row.outbox.trace.map(({ first, last }) => [first, last])).to.deep.equal([
      [2, 2],
      [3, 3],
    ]);
    expect(row.state).to.include({ event_seq: 3, trace_seq: 3 });
  });

  it('deleted once', () => {
    const draft = new Draft(sampleActiveflow({ tm_delete: '2026-01-01T00:00:00.000000Z' }));
    draft.deleted = true;
    expect(draft.toRow({ ...OPTIONS, event: null }).tm_delete).to.equal('2026-01-01T00:00:00.000000Z');
  });

  it('shows what was created, whatever has become of it', () => {
    const it = new EngineDriver({ flow: [talk('a')] });
    const { row } = it;
    it.next(id('start'));
    it.push([talk('p')]);
    it.remove();
    const shown = snapshotOf(asCreated(it.row));
    expect(shown).to.deep.equal(snapshotOf(row));
    expect(asCreated(it.row).state.stacks).to.deep.equal(row.state.stacks);
  });
});

describe('times', () => {
  for (const [ms, text] of [
    [0, '1970-01-01T00:00:00.000000Z'],
    [NOW + 1.5, '2026-01-02T03:04:05.001500Z'],
    [NOW + 0.001, '2026-01-02T03:04:05.000001Z'],
    [NOW + 0.9997, '2026-01-02T03:04:05.000999Z'],
    [1e300, '9999-12-31T23:59:59.999999Z'],
  ] as const) {
    it(`${ms} is ${text}`, () => expect(formatTime(ms)).to.equal(text));
  }
});

describe('a walk that is taken over', () => {
  const flow = [fetch('f', 'one'), queueJoin('j', 'queue'), fetch('g', 'two'), talk('z')];
  const script = either(fetched({ one: [fetch('h', 'two')], two: [talk('p')] }), joined([talk('w')]));

  cases([{ name: 'asks the same of the same places, wherever it died', flow, script, hears: 'p w p z finish' }]);

  it('asks again only what it had no stored answer to, under the same names', () => {
    for (let at = 0; at < 12; at++) {
      const chances = { count: 0 };
      const it = new EngineDriver({ flow, script, mishaps: { crash: () => chances.count++ === at } });
      expect(converse(it).join(' ')).to.equal('p w p z finish');
      const asked = it.asked.map(({ place, effect }) => `${place} ${labels(JSON.stringify(effect))}`);
      expect(asked.length - new Set(asked).size, `asked twice after a crash at ${at}`).to.be.at.most(1);
      expect([...new Set(it.asked.map(({ place }) => place))]).to.deep.equal(['1/1', '2/1', '4/1', '4/1000', '6/1']);
    }
  });
});
