import { Type } from 'typebox';
import type { Json } from '../../model/json.ts';
import { defineAction } from '../definition.ts';
import { failure } from '../fail.ts';
import { field } from '../schema.ts';
import { isOwnVariable } from '../text.ts';

export const variableSetAction = defineAction({
  type: 'variable_set',
  medium: 'any',
  by: 'manager',
  option: Type.Object({
    key: field.text('Name of the variable.'),
    value: field.any('Its value: a text, or any other JSON. Absent: empty.'),
  }),
  doc: 'Sets a variable.',
  decide({ option }) {
    const name = option.key ?? '';
    if (name === '') throw failure('INVALID_ARGUMENT', 'VARIABLE_NAME_EMPTY', 'variable_set: key is empty, expected a name');
    if (isOwnVariable(name)) {
      throw failure('INVALID_ARGUMENT', 'VARIABLE_RESERVED', `variable_set: ${name} is set by the service itself`);
    }
    // Not the value: it may be a secret.
    return { kind: 'next', set: { [name]: (option.value ?? '') as Json }, reason: `sets ${name}` };
  },
});
