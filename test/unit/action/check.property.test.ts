import { expect } from 'chai';
import fc from 'fast-check';
import { ACTION_TYPES } from '../../../pkg/action/catalogue.ts';
import { checkActions } from '../../../pkg/action/check.ts';
import { checkOption, coerceOption } from '../../../pkg/action/option.ts';
import { FlowError } from '../../../pkg/error/index.ts';
import type { JsonObject } from '../../../pkg/model/json.ts';

const ID = fc.uuid().map((id) => id.replace(/^0{8}/, '10000000'));
const anyId = fc.oneof(
  ID,
  ID.map((id) => id.toUpperCase()),
  fc.constantFrom('', '00000000-0000-0000-0000-000000000000', null),
);

/** All keys that some type's option has: so that arbitrary options hit schemas, and often with wrong types. */
const KEYS = [
  ...new Set(ACTION_TYPES.flatMap(({ option }) => Object.keys((option as { properties?: object }).properties ?? {}))),
];
const scalar = fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.constantFrom('${a}', 'x ${b.c} y', 0, 1, 'text', true, null), anyId);
const value = fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }), fc.dictionary(fc.string(), scalar, { maxKeys: 3 }));
const option = fc.dictionary(fc.oneof(fc.constantFrom(...KEYS), fc.constantFrom('__proto__', 'constructor', 'a/b~c')), value, {
  maxKeys: 4,
});
const type = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...ACTION_TYPES.map((one) => one.type)) },
  { weight: 1, arbitrary: fc.string() },
);
const action = fc.record(
  {
    type,
    id: anyId,
    next_id: anyId,
    on_error_target_id: anyId,
    option: fc.oneof({ weight: 9, arbitrary: option }, { weight: 1, arbitrary: fc.jsonValue() }),
    name: fc.oneof({ weight: 9, arbitrary: fc.string() }, { weight: 1, arbitrary: fc.jsonValue() }),
    retry: fc.oneof(fc.constant({ attempts: 2 }), fc.constant(null), fc.jsonValue({ maxDepth: 1 })),
    mine: fc.jsonValue(),
  },
  { requiredKeys: ['type'] },
);

function check(input: unknown, unknownTypes: 'error' | 'keep', templates: boolean) {
  let made = 0;
  const newId = () => `dddddddd-0000-4000-8000-${String(++made).padStart(12, '0')}`;
  return checkActions(input, { path: '', maxActions: 50, newId, unknownTypes, templates });
}

/** Undefined when it is refused, which it may be in one way only. */
function checked(input: unknown, unknownTypes: 'error' | 'keep' = 'keep', templates = true) {
  try {
    return check(input, unknownTypes, templates);
  } catch (error) {
    expect(error).to.be.instanceOf(FlowError);
    if (!(error instanceof FlowError)) throw error;
    expect(error.code).to.equal(400);
    expect(error.details).to.have.length.within(1, 20);
    for (const detail of error.details) expect(detail.expected).to.be.a('string').and.not.equal('');
    return undefined;
  }
}

describe('any list of actions', () => {
  it('is taken or refused with a FlowError 400, and never changed', () => {
    const input = fc.oneof(fc.jsonValue(), fc.array(fc.oneof(action, fc.jsonValue()), { maxLength: 4 }));
    fc.assert(
      fc.property(input, fc.constantFrom('error' as const, 'keep' as const), fc.boolean(), (list, unknownTypes, templates) => {
        const before = JSON.stringify(list);
        checked(list, unknownTypes, templates);
        expect(JSON.stringify(list)).to.equal(before);
      }),
      { numRuns: 300 },
    );
  });

  it('that was taken is taken again, as it is', () => {
    let taken = 0;
    fc.assert(
      fc.property(fc.array(action, { maxLength: 3 }), (list) => {
        const first = checked(list);
        if (!first) return;
        taken += first.actions.length;
        const stored = JSON.parse(JSON.stringify(first.actions)) as unknown;
        expect(check(stored, 'keep', true).actions).to.deep.equal(first.actions);
      }),
      { numRuns: 300 },
    );
    expect(taken).to.be.above(60);
  });
});

describe('any option that is right without templates', () => {
  it('is right with them allowed, and coerced against itself stays right', () => {
    let right = 0;
    fc.assert(
      fc.property(fc.constantFrom(...ACTION_TYPES.map((one) => one.type)), option, (name, given) => {
        if (checkOption(name, given, { templates: false }).errors.length > 0) return;
        right += 1;
        expect(checkOption(name, given, { templates: true }).errors).to.deep.equal([]);
        const coerced = coerceOption(name, given as JsonObject, given as JsonObject);
        expect(checkOption(name, coerced, { templates: false }).errors).to.deep.equal([]);
      }),
      { numRuns: 300 },
    );
    expect(right).to.be.above(40);
  });
});
