import { expect } from 'chai';
import type { Json } from '../../../pkg/model/json.ts';
import { stepsOfText, TraceLines, type TraceStep, traceJson } from '../../../pkg/model/trace.ts';

const move: TraceStep = {
  seq: 7,
  step: 3,
  action: { id: 'a', type: 'talk', option: { text: 'hello' } },
  outcome: 'handed_over',
  reason: '"quoted"',
  duration_ms: 1.5,
  tm: '2026-11-27T18:00:00.000000Z',
};
const { step: _, ...still } = { ...move, action: { id: 'a', type: 'talk' } };

function linesOf(...steps: TraceStep[]): TraceLines {
  const lines = TraceLines.of(steps);
  if (!lines) throw new Error('they are none');
  return lines;
}

describe('lines of the trace', () => {
  const forms: { readonly of: string; readonly line: TraceStep }[] = [
    { of: 'a move of the cursor', line: move },
    { of: 'something beside it', line: still },
    { of: 'an action without an option', line: { ...move, action: { id: 'a', type: 'answer' } } },
    { of: 'an action with an empty option', line: { ...move, action: { id: 'a', type: 'answer', option: {} } } },
    {
      of: 'an action with more than id, type and option',
      line: { ...move, action: { id: 'a', next_id: 'b', name: 'greets', type: 'talk', option: { text: 'x' }, tm_execute: null } },
    },
  ];
  for (const { of, line } of forms) {
    it(`are kept of ${of}`, () => {
      const lines = linesOf(line);
      expect(lines.steps).to.deep.equal([line]);
      expect(TraceLines.ofStored(JSON.parse(traceJson([lines])) as Json[])).to.deep.equal(lines);
    });
  }

  it('know their numbers, and stand one after another in a list', () => {
    const [one, two] = [linesOf(move, { ...still, seq: 8 }), linesOf({ ...move, seq: 9 })];
    expect([one.first, one.last, one.length]).to.deep.equal([7, 8, 2]);
    expect(stepsOfText(traceJson([one, two])).map(({ seq }) => seq)).to.deep.equal([7, 8, 9]);
    expect(traceJson([])).to.equal('[]');
    expect(TraceLines.of([])).to.equal(undefined);
  });

  it('take less than objects of them', () => {
    expect(linesOf(move).text.length).to.be.below(JSON.stringify(move).length * 0.7);
  });

  it('are read as rows had them before: objects, kept as they are', () => {
    const text = JSON.stringify([move, still]);
    expect(stepsOfText(text)).to.deep.equal([move, still]);
    expect(traceJson([TraceLines.ofStored(JSON.parse(text) as Json[]) ?? linesOf()])).to.equal(text);
  });

  const damaged: Json[] = [7, null, 'x', [], {}, [7], [7, 3, 'run'], { ...still, tm: 7 }, [7, 3, 'run', '', 0, 'tm', 8, 'talk']];
  it('are without those that are damaged', () => {
    const good = JSON.parse(`[${linesOf(move).text}]`) as Json[];
    for (const one of damaged) {
      expect(TraceLines.ofStored([one]), JSON.stringify(one)).to.equal(undefined);
      expect(stepsOfText(JSON.stringify([one, ...good, one])), JSON.stringify(one)).to.deep.equal([move]);
    }
    expect(stepsOfText('{}')).to.deep.equal([]);
  });
});
