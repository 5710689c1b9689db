// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${name} is the flow’s own notation
import { expect } from 'chai';
import { completeCount, deleteVariable, initialVariables, ownVariables, setVariables } from '../../../pkg/engine/variables.ts';
import { DEFAULT_LIMITS } from '../../../pkg/engine/world.ts';
import type { Variables } from '../../../pkg/model/action.ts';
import type { Json } from '../../../pkg/model/json.ts';
import { EngineDriver } from '../../support/engine.ts';
import { act, fetch, id, set, talk } from '../../support/engine_flow.ts';
import { cases, refusal } from './cases.ts';
import { fetched } from './scripts.ts';

const OWN = 'voipbin.activeflow.';
const many = (count: number, name = 'v') => Object.fromEntries(Array.from({ length: count }, (_, at) => [`${name}${at}`, '']));
const put = (values: Variables, before: Variables = {}) => setVariables(before, values, DEFAULT_LIMITS, '/variables');
const KIB = 1024;
const text = (bytes: number) => 'x'.repeat(bytes);

describe('setting variables', () => {
  it('substitutes values in the order given, earlier ones visible', () => {
    expect(put({ a: '1', b: '${a}2', c: '${b}3', d: '${z}' }, { z: 'old' })).to.include({ b: '12', c: '123', d: 'old' });
    expect(put({ b: '${a}2', a: '1' })).to.include({ b: '2' });
  });

  it('substitutes inside any JSON', () => {
    expect(put({ a: '1', b: { list: ['${a}', 2, null] } })).to.deep.include({ b: { list: ['1', 2, null] } });
  });

  it('does not substitute what a value brings in', () => {
    expect(put({ a: '${raw}' }, { raw: '${b}', b: 'x' })).to.include({ a: '${b}' });
  });

  it('takes names that objects have of their own', () => {
    const given = JSON.parse('{"__proto__": "p", "constructor": "c", "hasOwnProperty": "h"}') as Variables;
    const after = put({ again: '${__proto__}${constructor}${hasOwnProperty}' }, put(given));
    expect(Object.keys(after)).to.deep.equal(['__proto__', 'constructor', 'hasOwnProperty', 'again']);
    expect(after.again).to.equal('pch');
    expect(Object.keys(deleteVariable(after, '__proto__'))).to.deep.equal(['constructor', 'hasOwnProperty', 'again']);
  });

  const REFUSED: readonly [what: string, values: Variables, before: Variables, reason: string][] = [
    ['an empty name', { ok: '1', '': '1' }, {}, 'VARIABLE_NAME_EMPTY'],
    ['a name of the service’s', { [`${OWN}id`]: 'x' }, {}, 'VARIABLE_RESERVED'],
    ['the 101st name', { one: '' }, many(100), 'TOO_MANY_VARIABLES'],
    ['101 names at once', many(101), {}, 'TOO_MANY_VARIABLES'],
    ['a value over 32 KiB', { a: text(32 * KIB + 1) }, {}, 'VARIABLE_TOO_LARGE'],
    ['a value over 32 KiB in bytes, not in characters', { a: 'é'.repeat(16 * KIB + 1) }, {}, 'VARIABLE_TOO_LARGE'],
    ['a value over 32 KiB as JSON', { a: { b: text(32 * KIB) } }, {}, 'VARIABLE_TOO_LARGE'],
    [
      'a value that grows over 32 KiB when it is substituted',
      { a: '${big}${big}' },
      { big: text(20 * KIB) },
      'VARIABLE_TOO_LARGE',
    ],
    ['over 64 KiB in all, names counted', { c: '' }, { a: text(32 * KIB - 1), b: text(32 * KIB - 1) }, 'VARIABLES_TOO_LARGE'],
    ['101 names, some of them like what the service says of errors', many(101, 'voipbin.error.'), {}, 'TOO_MANY_VARIABLES'],
    ['a large value under the name of an error’s', { 'voipbin.error.message': text(33 * KIB) }, {}, 'VARIABLE_TOO_LARGE'],
  ];
  for (const [what, values, before, reason] of REFUSED) {
    it(`refuses ${what}, whole`, () => {
      expect(refusal(() => put(values, before))).to.equal(`400 ${reason}`);
      const it = new EngineDriver({ flow: [talk('a')], variables: before });
      const { variables, revision } = it.row;
      expect(refusal(() => it.set(values))).to.equal(`400 ${reason}`);
      expect(it.row).to.deep.include({ variables, revision });
    });
  }

  it('takes as much as is allowed', () => {
    expect(Object.keys(put(many(100)))).to.have.length(100);
    expect(put({ v0: 'new' }, many(100))).to.include({ v0: 'new' });
    put({ a: text(32 * KIB) });
    put({ b: text(32 * KIB - 1) }, { a: text(32 * KIB - 1) });
  });

  it('does not count the service’s own six', () => {
    const own = ownVariables(
      { id: 'i', reference_type: 'call', reference_id: 'r', reference_activeflow_id: 'p', flow_id: 'f' },
      0,
    );
    expect(Object.keys(own)).to.have.length(6);
    expect(Object.keys(put(many(100), own))).to.have.length(106);
  });

  it('can be deleted, but not the service’s own', () => {
    const it = new EngineDriver({ flow: [talk('a')], variables: { x: '1' } });
    it.unset('x');
    expect(it.row.variables).not.to.have.property('x');
    expect(refusal(() => it.unset(`${OWN}id`))).to.equal('400 VARIABLE_RESERVED');
  });

  it('a key that was answered sets nothing again', () => {
    const it = new EngineDriver({ flow: [talk('a')] });
    it.set({ x: '1' }, 'k');
    it.set({ x: '2' });
    it.set({ x: '1' }, 'k');
    expect(it.row.variables).to.include({ x: '2' });
  });
});

describe('variables of a new activeflow', () => {
  it('are what is given and the service’s own', () => {
    const { row } = new EngineDriver({ flow: [], variables: { x: '1', y: '${x}', z: `\${${OWN}id}` } });
    expect(row.variables).to.deep.equal({
      x: '1',
      y: '1',
      z: row.id,
      [`${OWN}id`]: row.id,
      [`${OWN}reference_type`]: 'call',
      [`${OWN}reference_id`]: row.reference_id,
      [`${OWN}reference_activeflow_id`]: id('none'),
      [`${OWN}flow_id`]: id('main'),
      [`${OWN}complete_count`]: '0',
    });
  });

  it('drop names under voipbin., with a warning for each', () => {
    const it = new EngineDriver({ flow: [], variables: { 'voipbin.call.digits': '1', [`${OWN}id`]: 'x', x: '1' } });
    expect(it.warnings.map(({ path }) => path)).to.deep.equal(['/variables/voipbin.call.digits', `/variables/${OWN}id`]);
    expect(it.row.variables)
      .to.include({ x: '1', [`${OWN}id`]: it.row.id })
      .and.not.to.have.property('voipbin.call.digits');
  });

  for (const [what, variables] of Object.entries({
    'too many': many(101),
    'one too large': { a: text(33 * KIB), b: '' },
    'too much in all': { a: text(30 * KIB), b: text(30 * KIB), c: text(30 * KIB) },
    'an empty name': { '': '1', b: '' },
  })) {
    it(`are dropped whole with a warning: ${what}`, () => {
      const it = new EngineDriver({ flow: [], variables });
      expect(Object.keys(it.row.variables).filter((name) => !name.startsWith(OWN))).to.deep.equal([]);
      expect(it.warnings).to.have.length(1);
      expect(it.warnings[0]?.path).to.equal('/variables');
      expect(it.warnings[0]?.message).to.match(/^dropped whole: /);
    });
  }

  it('a child starts with its parent’s, what is given beats them, the service’s own are its own', () => {
    const parent = new EngineDriver({ flow: [], variables: { a: 'parent', b: 'parent' } }).row;
    const { row } = new EngineDriver({ flow: [], parent: { ...parent, id: id('parent') }, variables: { b: 'child', c: '${a}' } });
    expect(row.variables).to.include({ a: 'parent', b: 'child', c: 'parent' });
    expect(row.variables).to.include({ [`${OWN}reference_activeflow_id`]: id('parent'), [`${OWN}complete_count`]: '1' });
    expect(row.reference_activeflow_id).to.equal(id('parent'));
  });

  it('a child whose own are too many still starts with its parent’s', () => {
    const parent = { id: id('parent'), variables: many(99) };
    const it = new EngineDriver({ flow: [], parent, variables: { a: '1', b: '2' } });
    expect(it.row.variables).to.include({ v98: '' }).and.not.to.have.any.keys('a', 'b');
    expect(it.warnings).to.have.length(1);
  });

  it('a chain of six is refused', () => {
    const child = (count: Json) =>
      new EngineDriver({ flow: [], parent: { id: id('parent'), variables: { [`${OWN}complete_count`]: count } } });
    expect(child('4').row.variables).to.include({ [`${OWN}complete_count`]: '5' });
    expect(refusal(() => child('5'))).to.equal('429 COMPLETE_DEPTH');
    expect(refusal(() => child('1000'))).to.equal('429 COMPLETE_DEPTH');
  });

  it('a count that is none is 0', () => {
    const counts = ['x', '-1', '1.5', null, ''].map((count) => completeCount({ [`${OWN}complete_count`]: count }));
    expect(counts).to.deep.equal([0, 0, 0, 0, 0]);
    expect(completeCount({})).to.equal(0);
  });

  it('are made without looking at prototypes', () => {
    const given = JSON.parse('{"__proto__": {"x": 1}}') as Variables;
    const { variables } = initialVariables({}, given, {}, DEFAULT_LIMITS);
    expect(JSON.stringify(variables)).to.equal('{"__proto__":{"x":1}}');
  });

  it('a new row is at the start and knows its deadline', () => {
    const it = new EngineDriver({ flow: [talk('a')], deadline_ms: 1_500 });
    const { row } = it;
    expect(row).to.deep.include({ revision: 1, status: 'running', tm_update: null, tm_delete: null });
    expect([row.deadline_at, row.wake_at]).to.deep.equal(['2026-01-02T03:04:06.500000Z', '2026-01-02T03:04:06.500000Z']);
    expect(row.outbox).to.deep.equal({ events: [{ seq: 1, type: 'activeflow_created' }], trace: [] });
  });
});

describe('variables in a walk', () => {
  cases([
    {
      name: 'variable_set sets any JSON',
      flow: [act('s', 'variable_set', { key: 'x', value: { a: [1, '${y}'] } })],
      variables: { y: 'z' },
      hears: 'finish',
      variables_at_end: { x: { a: [1, 'z'] } },
    },
    {
      name: 'variable_set without a value empties',
      flow: [act('s', 'variable_set', { key: 'x' })],
      variables: { x: '1' },
      hears: 'finish',
      variables_at_end: { x: '' },
    },
    {
      name: 'variable_set over a limit fails the action',
      flow: [set('s', 'x', '1')],
      variables: many(100),
      hears: '!TOO_MANY_VARIABLES',
    },
    {
      name: 'a failure is told even where there is no room',
      flow: [fetch('f', 'no')],
      script: fetched({}),
      variables: many(100),
      hears: '!DOWN',
      variables_at_end: { 'voipbin.error.reason': 'DOWN' },
    },
    {
      name: 'after a failure with a long message variables can still be set',
      flow: [fetch('f', 'no', { error: 's' }), set('s', 'x', '1')],
      script: () => ({ ok: false, error: { status: 'INTERNAL', reason: 'LONG', message: text(40 * KIB) } }),
      hears: 'finish',
      variables_at_end: { x: '1' },
    },
    {
      name: 'what is set by request is seen by the next action',
      flow: [talk('a'), set('s', 'y', '${x}!')],
      at: { a: (it) => it.set({ x: '1' }) },
      hears: 'a finish',
      variables_at_end: { y: '1!' },
    },
    {
      name: 'what is set while an action is under way is kept',
      flow: [fetch('f', 'list'), set('s', 'y', '${x}!')],
      script: fetched({ list: [] }),
      during: { f: (it) => it.set({ x: '1' }) },
      hears: 'finish',
      variables_at_end: { x: '1', y: '1!' },
    },
  ]);
});
