// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${name} is the flow’s own notation
import { expect } from 'chai';
import { EngineDriver, UnderWay } from '../../support/engine.ts';
import { act, empty, fetch, id, jump, labelOf, talk } from '../../support/engine_flow.ts';
import { refusal } from './cases.ts';
import { fetched } from './scripts.ts';

const three = [talk('a'), talk('b'), talk('c')];

/** Says what each request heard, and at which revision the row then was. */
function ask(it: EngineDriver, asked: string, key = ''): string {
  return labelOf(it.next(id(asked), key).id);
}

describe('next, repeated', () => {
  it('with the id of the action before gets the current action again, and changes nothing', () => {
    const it = new EngineDriver({ flow: three });
    ask(it, 'start');
    ask(it, 'a');
    const before = it.row;
    expect([ask(it, 'a'), ask(it, 'a', 'some key'), ask(it, 'a', 'some other')]).to.deep.equal(['b', 'b', 'b']);
    expect(it.row).to.equal(before);
    expect(ask(it, 'b')).to.equal('c');
  });

  it('with the same key gets the same answer, also when the flow has gone on', () => {
    const it = new EngineDriver({ flow: three });
    expect([ask(it, 'start', 'k0'), ask(it, 'a', 'k1'), ask(it, 'b', 'k2')]).to.deep.equal(['a', 'b', 'c']);
    expect([ask(it, 'start', 'k0'), ask(it, 'a', 'k1'), ask(it, 'b', 'k2')]).to.deep.equal(['a', 'b', 'c']);
    expect([ask(it, 'c', 'k3'), ask(it, 'start', 'k0'), ask(it, 'a', 'k1'), ask(it, 'c', 'k3')]).to.deep.equal([
      'finish',
      'a',
      'b',
      'finish',
    ]);
  });

  it('with the same key gets the option as it was then', () => {
    const flow = [talk('a', {}, '${x}'), jump('g', 'a', 5)];
    const it = new EngineDriver({ flow, variables: { x: 'one' } });
    const first = it.next(id('start'), 'k0');
    it.set({ x: 'two' });
    const second = it.next(id('a'), 'k1');
    expect([first.option, second.option]).to.deep.equal([{ text: 'one' }, { text: 'two' }]);
    expect(it.next(id('start'), 'k0')).to.deep.equal(first);
  });

  it('is an advance where both ids are equal and the key is new, the same answer where it is not', () => {
    const it = new EngineDriver({ flow: [talk('a'), jump('g', 'a', 2), talk('z')] });
    expect([
      ask(it, 'start', 'k0'),
      ask(it, 'a', 'k1'),
      ask(it, 'a', 'k1'),
      ask(it, 'a', 'k2'),
      ask(it, 'a', 'k3'),
    ]).to.deep.equal(['a', 'a', 'a', 'a', 'z']);
    expect([ask(it, 'a', 'k1'), ask(it, 'a', 'k3'), ask(it, 'a', 'k4')]).to.deep.equal(['a', 'z', 'z']);
  });

  it('keeps what was handed over as its answer when the flow is stopped afterwards', () => {
    const it = new EngineDriver({ flow: three });
    ask(it, 'start', 'k0');
    it.stop();
    expect(ask(it, 'start', 'k0')).to.equal('a');
    expect(ask(it, 'start', 'another key')).to.equal('finish');
  });

  it('keeps it also when the flow ends by its deadline', () => {
    const it = new EngineDriver({ flow: three, deadline_ms: 1_000 });
    ask(it, 'start', 'k0');
    it.clock.advance(1_000);
    expect(it.wake()).to.equal('deadline');
    expect(ask(it, 'start', 'k0')).to.equal('a');
    expect(refusal(() => it.next(id('start'), 'another key'))).to.equal('409 DEADLINE_EXCEEDED');
  });

  it('after finish gets finish again, by key and by id', () => {
    const it = new EngineDriver({ flow: [talk('a')] });
    ask(it, 'start', 'k0');
    expect([ask(it, 'a', 'k1'), ask(it, 'a', 'k1'), ask(it, 'a', 'k2'), ask(it, 'a')]).to.deep.equal(Array(4).fill('finish'));
  });
});

describe('next, of another action', () => {
  const MISMATCHES = ['x', 'c', 'start', 'finish', 'none'];

  it('is refused and changes nothing, whatever id it names', () => {
    const it = new EngineDriver({ flow: three });
    ask(it, 'start', 'k0');
    ask(it, 'a', 'k1');
    const before = it.row;
    for (const asked of MISMATCHES) {
      expect(
        refusal(() => it.next(id(asked), `m ${asked}`)),
        asked,
      ).to.equal('409 CURRENT_ACTION_MISMATCH');
    }
    expect(it.row).to.equal(before);
  });

  it('is refused before the start', () => {
    const it = new EngineDriver({ flow: three });
    for (const asked of ['a', 'finish', 'none']) {
      expect(
        refusal(() => it.next(id(asked))),
        asked,
      ).to.equal('409 CURRENT_ACTION_MISMATCH');
    }
  });

  it('is refused after the end', () => {
    const it = new EngineDriver({ flow: [talk('a'), talk('b')] });
    for (const asked of ['start', 'a', 'b']) ask(it, asked);
    for (const asked of ['start', 'a', 'finish', 'x', 'none']) {
      expect(
        refusal(() => it.next(id(asked))),
        asked,
      ).to.equal('409 ACTIVEFLOW_ENDED');
    }
  });

  it('says what was expected', () => {
    const it = new EngineDriver({ flow: three });
    ask(it, 'start');
    const error = (() => {
      try {
        return it.next(id('x'));
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error)
      .to.have.property('details')
      .that.deep.equals([{ field: 'current_action_id', value: id('x'), expected: `the current action ${id('a')}` }]);
  });
});

describe('next, while a walk is under way', () => {
  const setting = { flow: [fetch('f', 'list'), talk('z')], script: fetched({ list: [talk('p')] }) };

  /** Drives to the fetch, does `others` while it is under way, and returns what the caller heard. */
  function during(others: (it: EngineDriver) => void): { it: EngineDriver; heard: string } {
    const it: EngineDriver = new EngineDriver({ ...setting, mishaps: { during: () => others(it) } });
    return { it, heard: ask(it, 'start', 'k0') };
  }

  it('waits for it where it is the same, by key or by id', () => {
    const { heard } = during((it) => {
      expect(() => it.next(id('start'), 'k0')).to.throw(UnderWay);
      expect(() => it.next(id('start'), 'k1')).to.throw(UnderWay);
    });
    expect(heard).to.equal('p');
  });

  it('is refused where it is another', () => {
    const { heard } = during((it) => {
      expect(refusal(() => it.next(id('f'), 'k1'))).to.equal('409 CURRENT_ACTION_MISMATCH');
      expect(refusal(() => it.next(id('x'), 'k1'))).to.equal('409 CURRENT_ACTION_MISMATCH');
    });
    expect(heard).to.equal('p');
  });

  it('answers it with finish when the flow is stopped meanwhile, by key and by id', () => {
    const { it, heard } = during((it) => it.stop('s'));
    expect(heard).to.equal('finish');
    expect([ask(it, 'start', 'k0'), ask(it, 'start', 'k1')]).to.deep.equal(['finish', 'finish']);
    expect(it.row.state.current.id).to.equal(id('f'));
    expect(it.executed).to.equal('start');
  });

  it('answers it with finish when it is deleted meanwhile', () => {
    const { it, heard } = during((it) => it.remove());
    expect([heard, ask(it, 'start', 'k0')]).to.deep.equal(['finish', 'finish']);
  });

  it('answers it with the error when its deadline passes meanwhile', () => {
    const it: EngineDriver = new EngineDriver({
      ...setting,
      deadline_ms: 1_000,
      mishaps: {
        during: () => {
          it.clock.advance(1_000);
          it.wake();
        },
      },
    });
    for (const key of ['k0', 'k0', 'k1'])
      expect(
        refusal(() => it.next(id('start'), key)),
        key,
      ).to.equal('409 DEADLINE_EXCEEDED');
  });

  it('asks each sibling once, whoever changes the row meanwhile', () => {
    const { it } = during((it) => {
      it.set({ x: '1' });
      it.set({ y: '2' });
    });
    expect(it.asked.map(({ place }) => place)).to.deep.equal(['1/1']);
    expect(it.row.variables).to.include({ x: '1', y: '2' });
  });

  it('is a retry of the walk before, when it names the action before', () => {
    const it = new EngineDriver({ flow: [empty('x'), talk('a'), act('s', 'sleep', { duration: 5 })] });
    expect([ask(it, 'start'), ask(it, 'start'), ask(it, 'a'), ask(it, 'a')]).to.deep.equal(['a', 'a', 's', 's']);
  });
});
