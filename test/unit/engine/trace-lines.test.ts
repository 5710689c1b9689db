import { expect } from 'chai';
import type { TraceStep } from '../../../pkg/model/activeflow.ts';
import { TraceLine, traceJson } from '../../../pkg/model/trace-line.ts';

const step: TraceStep = {
  seq: 1,
  step: 1,
  action: { id: 'a', type: 'talk', option: { text: 'hello' } },
  outcome: 'handed_over',
  reason: '"quoted"',
  duration_ms: 1.5,
  tm: '2026-11-27T18:00:00.000000Z',
};

describe('a line of the trace', () => {
  it('is written as any other object with the same members', () => {
    const line = new TraceLine(step);
    expect(line.json).to.equal(JSON.stringify(step));
    expect(JSON.stringify(line)).to.equal(line.json);
  });

  it('has every member that it was made of', () => {
    const { seq, step: at, action, outcome, reason, duration_ms, tm } = new TraceLine(step);
    expect({ seq, step: at, action, outcome, reason, duration_ms, tm }).to.deep.equal(step);
  });

  it('has no step where it is about no move of the cursor', () => {
    const { step: _, ...still } = step;
    const line = new TraceLine(still);
    expect(line.step).to.equal(undefined);
    expect(JSON.parse(line.json)).to.deep.equal(still);
  });

  it('stands in a list beside lines that were read from a row', () => {
    const second = { ...step, seq: 2, step: 2 };
    expect(JSON.parse(traceJson([step, new TraceLine(second)]))).to.deep.equal([step, second]);
    expect(traceJson([])).to.equal('[]');
  });
});
