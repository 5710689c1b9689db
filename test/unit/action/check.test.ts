import { expect } from 'chai';
import { checkActions } from '../../../pkg/action/check.ts';
import { FlowError } from '../../../pkg/error/index.ts';

const A = 'aaaaaaaa-0000-4000-8000-000000000001';
const B = 'bbbbbbbb-0000-4000-8000-000000000002';
const NIL = '00000000-0000-0000-0000-000000000000';
const FINISH = '00000000-0000-0000-0000-000000000002';

function check(input: unknown, unknownTypes: 'error' | 'keep' = 'error', maxActions = 1_000) {
  let made = 0;
  const newId = () => `cccccccc-0000-4000-8000-${String(++made).padStart(12, '0')}`;
  return checkActions(input, { path: '/actions', maxActions, newId, unknownTypes, templates: true });
}

function refusal(input: unknown, unknownTypes: 'error' | 'keep' = 'error', maxActions = 1_000): FlowError {
  try {
    check(input, unknownTypes, maxActions);
  } catch (error) {
    if (error instanceof FlowError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('checkActions', () => {
  it('fills in ids, puts given ones in lower case, leaves out what means none', () => {
    const input = [
      { type: 'answer', id: NIL, next_id: NIL, option: null, name: null, retry: null, on_error_target_id: '', tm_execute: null },
      { type: 'talk', id: A.toUpperCase(), next_id: B.toUpperCase(), option: { text: 'a' }, name: 'greet' },
      { type: 'hangup', id: B, on_error_target_id: A.toUpperCase(), retry: { attempts: 3, max_ms: 10, factor: 1.5 } },
    ];
    const before = structuredClone(input);
    const { actions, warnings } = check(input);
    expect(actions).to.deep.equal([
      { id: 'cccccccc-0000-4000-8000-000000000001', type: 'answer' },
      { id: A, next_id: B, type: 'talk', option: { text: 'a' }, name: 'greet' },
      { id: B, type: 'hangup', on_error_target_id: A, retry: { attempts: 3, max_ms: 10, factor: 1.5 } },
    ]);
    expect(warnings).to.deep.equal([]);
    expect(input).to.deep.equal(before);
  });

  it('takes null as an empty list, as some siblings write it', () => {
    expect(check(null)).to.deep.equal({ actions: [], warnings: [] });
    expect(check([])).to.deep.equal({ actions: [], warnings: [] });
  });

  const refused: [name: string, input: unknown, reason: string, field: string, message: RegExp][] = [
    ['no list', { type: 'answer' }, 'INVALID_ACTIONS', '/actions', /a list of actions, got an object/],
    ['nothing', undefined, 'INVALID_ACTIONS', '/actions', /got nothing/],
    ['a text', 'answer', 'INVALID_ACTIONS', '/actions', /got "answer"/],
    ['an item that is no object', ['answer'], 'INVALID_ACTION', '/actions/0', /an object with a type, got "answer"/],
    ['an item that is null', [null], 'INVALID_ACTION', '/actions/0', /got null/],
    ['an item that is a list', [[]], 'INVALID_ACTION', '/actions/0', /got a list of 0/],
    ['an unknown type', [{ type: 'tlak' }], 'INVALID_ACTION_TYPE', '/actions/0/type', /did you mean talk\?\), got "tlak"/],
    [
      'a type far from any',
      [{ type: 'no_such_action' }],
      'INVALID_ACTION_TYPE',
      '/actions/0/type',
      /action, got "no_such_action"/,
    ],
    ['an inherited name as type', [{ type: 'constructor' }], 'INVALID_ACTION_TYPE', '/actions/0/type', /got "constructor"/],
    ['no type', [{}], 'INVALID_ACTION_TYPE', '/actions/0/type', /got nothing/],
    ['a type that is no text', [{ type: 5 }], 'INVALID_ACTION_TYPE', '/actions/0/type', /got 5/],
    ['an id that is none', [{ type: 'answer', id: 'x' }], 'INVALID_ACTION_ID', '/actions/0/id', /an id \(UUID\), got "x"/],
    ['a next_id that is none', [{ type: 'answer', next_id: 5 }], 'INVALID_ACTION_ID', '/actions/0/next_id', /got 5/],
    [
      'an error target that is none',
      [{ type: 'answer', on_error_target_id: {} }],
      'INVALID_ACTION_ID',
      '/actions/0/on_error_target_id',
      /an object/,
    ],
    ['a reserved id', [{ type: 'answer', id: FINISH }], 'INVALID_ACTION_ID', '/actions/0/id', /meaning of its own/],
    [
      'two of one id',
      [
        { type: 'answer', id: A },
        { type: 'beep', id: A.toUpperCase() },
      ],
      'DUPLICATE_ACTION_ID',
      '/actions/1/id',
      /action 0 of this list/,
    ],
    [
      'an option that is no object',
      [{ type: 'answer', option: [] }],
      'INVALID_ACTION_OPTION',
      '/actions/0/option',
      /an object, got a list/,
    ],
    [
      'a wrong type inside an option',
      [{ type: 'beep' }, { type: 'sleep', option: { duration: 'x' } }],
      'INVALID_ACTION_OPTION',
      '/actions/1/option/duration',
      /whole number of at least 0, got "x"/,
    ],
    ['a retry that is no object', [{ type: 'answer', retry: 3 }], 'INVALID_ACTION', '/actions/0/retry', /an object, got 3/],
    [
      'a retry without attempts',
      [{ type: 'answer', retry: {} }],
      'INVALID_ACTION',
      '/actions/0/retry/attempts',
      /from 1 to 20, got nothing/,
    ],
    [
      'a retry of 0 attempts',
      [{ type: 'answer', retry: { attempts: 0 } }],
      'INVALID_ACTION',
      '/actions/0/retry/attempts',
      /from 1 to 20, got 0/,
    ],
    [
      'a shrinking retry',
      [{ type: 'answer', retry: { attempts: 1, factor: 0.5 } }],
      'INVALID_ACTION',
      '/actions/0/retry/factor',
      /from 1 to 10/,
    ],
    [
      'a retry without end',
      [{ type: 'answer', retry: { attempts: 21 } }],
      'INVALID_ACTION',
      '/actions/0/retry/attempts',
      /from 1 to 20, got 21/,
    ],
    [
      'a retry that pauses for more than an hour',
      [{ type: 'answer' }, { type: 'answer', retry: { attempts: 1, max_ms: 3_600_001 } }],
      'INVALID_ACTION',
      '/actions/1/retry/max_ms',
      /from 0 to 3600000, got 3600001/,
    ],
    ['a name that is no text', [{ type: 'answer', name: 7 }], 'INVALID_ACTION', '/actions/0/name', /text, got 7/],
  ];
  for (const [name, input, reason, field, message] of refused) {
    it(`refuses ${name}`, () => {
      const error = refusal(input);
      expect(error).to.include({ code: 400, reason });
      expect(error.details.map((detail) => detail.field)).to.deep.equal([field]);
      expect(error.message).to.match(message);
    });
  }

  it('refuses too many', () => {
    const error = refusal([{ type: 'beep' }, { type: 'beep' }, { type: 'beep' }], 'error', 2);
    expect(error).to.include({ code: 400, reason: 'TOO_MANY_ACTIONS' });
    expect(error.message).to.contain('at most 2 actions').and.to.contain('3');
  });

  it('names all that is wrong, or the first twenty', () => {
    const error = refusal([
      { type: 'x', id: 'y', option: 5 },
      { type: 'sleep', option: { duration: '' } },
    ]);
    expect(error.details.map((detail) => detail.field)).to.deep.equal([
      '/actions/0/type',
      '/actions/0/id',
      '/actions/0/option',
      '/actions/1/option/duration',
    ]);
    expect(error.message).to.contain('(and 3 more)');
    expect(refusal(Array.from({ length: 500 }, () => 5)).details).to.have.length(20);
  });

  it('keeps unknown types of lists that come while a flow runs, but not what is malformed', () => {
    const input = [{ type: 'no_such', option: { a: [1] } }, {}];
    expect(check(input, 'keep').actions.map(({ type, option }) => [type, option])).to.deep.equal([
      ['no_such', { a: [1] }],
      ['', undefined],
    ]);
    expect(refusal([{ type: 5 }], 'keep')).to.include({ reason: 'INVALID_ACTION_TYPE' });
    expect(refusal([{ type: 'no_such', id: 'x' }], 'keep')).to.include({ reason: 'INVALID_ACTION_ID' });
    expect(refusal([{ type: 'sleep', option: { duration: [] } }], 'keep')).to.include({ reason: 'INVALID_ACTION_OPTION' });
  });

  it('warns of unknown keys of an action and leaves them out, of those in an option and keeps them', () => {
    const { actions, warnings } = check([
      { id: A, type: 'talk', optoin: {}, option: { tetx: 'a' }, retry: { attempts: 1, x: 1 } },
    ]);
    expect(actions).to.deep.equal([{ id: A, type: 'talk', option: { tetx: 'a' }, retry: { attempts: 1 } }]);
    expect(warnings.map(({ path }) => path)).to.have.members([
      '/actions/0/optoin',
      '/actions/0/option/tetx',
      '/actions/0/retry/x',
    ]);
    expect(warnings.find(({ path }) => path.endsWith('optoin'))?.message).to.contain('did you mean option?');
  });

  it('warns of targets that no action of the list has', () => {
    const target = { target_id: B, loop_count: 1 };
    const { warnings } = check([
      { id: A, type: 'goto', option: target, next_id: B, on_error_target_id: B },
      { type: 'branch', option: { target_ids: { 'a/b': B, ok: A, t: '${x}' }, default_target_id: NIL } },
      { type: 'condition_variable', option: { false_target_id: B.toUpperCase() }, next_id: FINISH },
    ]);
    expect(warnings.map(({ path }) => path)).to.deep.equal([
      '/actions/0/next_id',
      '/actions/0/on_error_target_id',
      '/actions/0/option/target_id',
      '/actions/1/option/target_ids/a~1b',
      '/actions/2/option/false_target_id',
    ]);
    expect(
      check([
        { id: A, type: 'goto', option: target },
        { id: B, type: 'beep' },
      ]).warnings,
    ).to.deep.equal([]);
  });

  it('is not hurt by hostile input', () => {
    const deep = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`) as unknown;
    expect(refusal(deep)).to.include({ code: 400 });
    expect(refusal([deep])).to.include({ code: 400 });
    for (const item of [
      { id: deep },
      { type: deep },
      { option: deep },
      { option: { text: deep } },
      { mine: deep },
      { retry: deep },
    ]) {
      const error = refusal([{ type: 'talk', ...item }]);
      expect(error.details[0]).to.include({ field: '/actions/0', expected: 'at most 64 levels of lists and objects' });
    }
    const huge = 'x'.repeat(1_000_000);
    for (const item of [{ type: huge }, { type: 'talk', id: huge }, { type: 'sleep', option: { duration: huge } }]) {
      const error = refusal([item]);
      expect(JSON.stringify([error.message, error.details])).to.have.length.below(1_000);
    }
    const { actions, warnings } = check(
      JSON.parse('[{"type": "talk", "__proto__": {"option": 5}, "option": {"__proto__": {"x": 1}}}]'),
    );
    expect(Object.getPrototypeOf(actions[0]?.option)).to.equal(Object.prototype);
    expect(Object.keys(actions[0]?.option ?? {})).to.deep.equal(['__proto__']);
    expect(warnings.map(({ path }) => path)).to.have.members(['/actions/0/__proto__', '/actions/0/option/__proto__']);
    const many = check([
      { type: 'talk', ...Object.fromEntries(Array.from({ length: 3_000 }, (_, at) => [`k${at}`, huge.slice(0, 9)])) },
    ]);
    expect(many.warnings).to.have.length(101);
    expect(check([{ type: 'talk', [huge]: 1 }]).warnings[0]?.path).to.have.length.below(200);
  });
});
