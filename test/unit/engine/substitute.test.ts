// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${name} is the flow’s own notation
import { expect } from 'chai';
import { lookUp, mentions, substitute, substituteObject } from '../../../pkg/engine/substitute.ts';
import type { Variables } from '../../../pkg/model/action.ts';
import type { Json } from '../../../pkg/model/json.ts';
import { ok } from '../../support/drive.ts';
import type { EngineDriver } from '../../support/engine.ts';
import { act, branch, empty, fetch, jump, set, talk } from '../../support/engine_flow.ts';
import { cases } from './cases.ts';
import { failing, fetched } from './scripts.ts';

const odd = JSON.parse('{"__proto__": "proto", "constructor": {"name": "c"}}') as Variables;
const people = { people: [{ name: 'Ann' }, { name: 'Bo', tags: ['x', 'y'] }] };

const TEXTS: readonly [text: string, variables: Variables, becomes: string][] = [
  ['${a}', { a: 'one' }, 'one'],
  ['<${a}> and <${b}>', { a: 'one', b: 'two' }, '<one> and <two>'],
  ['${a}${a}', { a: 'x' }, 'xx'],
  ['${ a }', { a: 'blanks around a name' }, 'blanks around a name'],
  ['${unknown}', {}, ''],
  ['${}', { '': 'empty' }, 'empty'],
  ['$a {a} ${a', { a: 'x' }, '$a {a} ${a'],
  ['${a} ${', { a: 'x' }, 'x ${'],
  ['$${a}', { a: 'x' }, '$x'],
  ['${a.b}', { 'a.b': 'whole name', a: { b: 'path' } }, 'whole name'],
  ['${a.b.c}', { 'a.b': { c: 'longer' }, a: { b: { c: 'shorter' } } }, 'longer'],
  ['${a.b.c}', { a: { b: { c: 'path' } } }, 'path'],
  ['${people.1.name}', people, 'Bo'],
  ['${people.1.tags.0}', people, 'x'],
  ['${people.0}', people, '{"name":"Ann"}'],
  ['${people.2.name}', people, ''],
  ['${people.-1.name}${people.length}${people.01x}', people, ''],
  ['${people.name}', people, ''],
  ['${a.0}', { a: 'text' }, ''],
  ['${a}', { a: null }, ''],
  ['${a} ${b} ${c} ${d}', { a: 0, b: false, c: [], d: {} }, '0 false [] {}'],
  ['${a}', { a: '${b}', b: 'never' }, '${b}'],
  ['${a}', { a: '$&$1$$' }, '$&$1$$'],
  ['${__proto__}', odd, 'proto'],
  ['${__proto__}${toString}${constructor}', {}, ''],
  ['${a.__proto__}${a.constructor}${a.length}', { a: {} }, ''],
  ['${constructor.name}', odd, 'c'],
  ['${b.__proto__}', { b: odd as Json }, 'proto'],
];

describe('substitution', () => {
  for (const [text, variables, becomes] of TEXTS) {
    it(`${text} with ${JSON.stringify(variables)}`, () => expect(substitute(text, variables)).to.equal(becomes));
  }

  it('reaches every depth, and leaves keys and what is no text', () => {
    const value = { '${a}': ['${a}', { deep: [[`x\${a}`]] }], n: 1, t: true, z: null };
    expect(substitute(value, { a: 'A' })).to.deep.equal({ '${a}': ['A', { deep: [['xA']] }], n: 1, t: true, z: null });
  });

  it('keeps a key __proto__ a key', () => {
    const value = JSON.parse('{"__proto__": {"x": "${a}"}, "b": 1}') as Json;
    expect(JSON.stringify(substitute(value, { a: 'A' }))).to.equal('{"__proto__":{"x":"A"},"b":1}');
  });

  it('never changes what it is given', () => {
    const value = Object.freeze({ list: Object.freeze(['${a}']) });
    substitute(value, { a: 'A' });
    expect(value).to.deep.equal({ list: ['${a}'] });
  });

  it('looks a missing name up as nothing', () => expect(lookUp('a.b', {})).to.equal(undefined));

  it('knows what is mentioned', () => {
    const name = 'voipbin.flow.reference_data';
    const found = [`\${${name}}`, `x\${ ${name} }`, [{ a: `\${${name}.source.target}` }]].map((value) => mentions(value, name));
    expect(found).to.deep.equal([true, true, true]);
    const others = [name, `\${${name}s}`, `\${x.${name}}`, { [`\${${name}}`]: 1 }, 7, null].map((value) => mentions(value, name));
    expect(others).to.deep.equal([false, false, false, false, false, false]);
  });
});

const DATA = '${voipbin.flow.reference_data}';

describe('substitution in a walk', () => {
  cases([
    {
      name: 'happens just before the action runs',
      flow: [set('s', 'x', 'one'), talk('a', {}, '${x}'), set('t', 'x', 'two'), talk('b', {}, '${x}')],
      hears: 'a b finish',
      more: (it) => said(it, 'one', 'two'),
    },
    {
      name: 'leaves the author’s list as it is',
      flow: [
        set('s', 'x', 'first'),
        talk('a', {}, '${x}'),
        branch('b', 'x', { second: 'z' }),
        set('t', 'x', 'second'),
        jump('g', 'a', 1),
        empty('z'),
      ],
      hears: 'a a finish',
      more: (it) => said(it, 'first', 'second'),
    },
    {
      name: 'is done once: what a variable holds stays as it is',
      flow: [set('s', 'x', '${raw}'), talk('a', {}, '${x}')],
      variables: { raw: '${y}' },
      more: (it) => said(it, ''),
      hears: 'a finish',
    },
    {
      name: 'reaches lists from outside, and what they set is not substituted again',
      flow: [fetch('f', 'list'), talk('z')],
      script: fetched({
        list: [talk('p', {}, '${x}'), act('v', 'variable_set', { key: 'y', value: '${x}' }), talk('q', {}, '${y}')],
      }),
      variables: { x: 'v' },
      at: { z: (it) => said(it, 'v', 'v', 'z') },
      hears: 'p q z finish',
    },
    {
      name: 'makes a number where the schema wants one',
      flow: [act('e', 'echo', { duration: '${ms}' })],
      variables: { ms: '1500' },
      hears: 'e finish',
      more: (it) => expect(it.trace[0]?.action).to.deep.include({ option: { duration: 1500 } }),
    },
    {
      name: 'makes true or false where the schema wants it',
      flow: [act('t', 'talk', { text: '${flag}', async: '${flag}' })],
      variables: { flag: 'true' },
      hears: 't finish',
      more: (it) => expect(it.trace[0]?.action).to.deep.include({ option: { text: 'true', async: true } }),
    },
    {
      name: 'that leaves no number where one is wanted fails the action',
      flow: [act('e', 'echo', { duration: '${ms}' })],
      variables: { ms: 'soon' },
      hears: '!INVALID_ACTION_OPTION',
      executed: 'start',
    },
    {
      name: 'that leaves a negative length fails the action',
      flow: [act('e', 'echo', { duration: '${ms}' }, { error: 'z' }), talk('a'), talk('z')],
      variables: { ms: -1 },
      hears: 'z finish',
    },
    {
      name: 'puts ids in lower case',
      flow: [jump('g', 'x', 1), talk('a')].map((action) =>
        action.type === 'goto' ? act('g', 'goto', { target_id: '${target}', loop_count: 1 }) : action,
      ),
      variables: { target: 'A0000000-0000-4000-8000-000000000061' },
      hears: 'a finish',
    },
    {
      name: 'asks for the call once, and only where it is mentioned',
      flow: [talk('a'), talk('b', {}, `${DATA.replace('}', '.source}')} ${DATA.replace('}', '.n}')}`), talk('c')],
      script: (effect) => (effect.kind === 'request' ? ok({ source: 's', n: 1 }) : undefined),
      hears: 'a b c finish',
      asks: ['call GET /v1/calls/a0000000-0000-4000-8000-000000000004'].map(shortened),
      more: (it) => [said(it, 'a', 's 1', 'c'), expect(it.asked[0]?.place).to.equal('2/0')],
    },
    {
      name: 'asks for the conversation of a conversation',
      reference: 'conversation',
      flow: [set('s', 'x', DATA)],
      script: () => ok({ a: 1 }),
      hears: 'finish',
      asks: [shortened('conversation GET /v1/conversations/a0000000-0000-4000-8000-000000000004')],
      variables_at_end: { x: '{"a":1}' },
    },
    {
      name: 'has nothing to ask for other references',
      reference: 'api',
      flow: [set('s', 'x', `<${DATA}>`)],
      hears: 'finish',
      asks: [],
      variables_at_end: { x: '<>' },
    },
    {
      name: 'goes on without the call when it does not answer',
      flow: [talk('a', {}, `<${DATA}>`)],
      script: failing(/calls/),
      hears: 'a finish',
      more: (it) => said(it, '<>'),
    },
    {
      name: 'sees what others set while the call is asked',
      flow: [talk('a', {}, `\${x}${DATA}`)],
      script: () => ok(null),
      during: { a: (it) => it.set({ x: 'new' }) },
      hears: 'a finish',
      more: (it) => said(it, 'new'),
    },
    {
      name: 'the call is no variable afterwards',
      flow: [talk('a', {}, DATA)],
      script: () => ok('data'),
      hears: 'a finish',
      more: (it) => expect(it.row.variables).not.to.have.property('voipbin.flow.reference_data'),
    },
    {
      name: 'asks for the call and then acts: two places',
      flow: [fetch('f', DATA.replace('}', '.list}'))],
      script: (effect) => (effect.kind === 'request' ? ok({ list: 'two' }) : fetched({ two: [talk('p')] })(effect)),
      hears: 'p finish',
      more: (it) => expect(it.asked.map(({ place }) => place)).to.deep.equal(['1/0', '1/1']),
    },
  ]);
});

function shortened(text: string): string {
  return text.replace('a0000000-0000-4000-8000-000000000004', '\u0004');
}

/** The texts that were said, in order. */
function said(it: EngineDriver, ...texts: string[]): void {
  const lines = it.trace.filter((line) => line.step !== undefined && line.action.type === 'talk');
  expect(lines.map((line) => ('option' in line.action ? line.action.option?.text : undefined))).to.deep.equal(texts);
}

describe('substituting in an option', () => {
  it('copies nothing where nothing is named', () => {
    const option = { text: 'no ${ here', list: ['a', { b: null }], n: 1 };
    const plain = { text: 'nothing', list: ['a', { b: null }], n: 1 };
    expect(substituteObject(plain, { a: 'x' })).to.equal(plain);
    expect(substituteObject(option, { a: 'x' })).to.deep.equal(option);
  });

  it('finds names at every depth, and keeps names of keys that objects have of their own', () => {
    const option = JSON.parse('{"__proto__": {"deep": ["${a}"]}, "other": "x"}') as { [key: string]: Json };
    const done = substituteObject(option, { a: 'one' });
    expect(JSON.stringify(done)).to.equal('{"__proto__":{"deep":["one"]},"other":"x"}');
  });
});
