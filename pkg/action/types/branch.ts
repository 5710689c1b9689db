import { Type } from 'typebox';
import { isSet } from '../../model/id.ts';
import { renderText } from '../../model/variable.ts';
import { defineAction } from '../definition.ts';
import { field, ID_PATTERN } from '../schema.ts';
import { isOwnVariable, quote } from '../text.ts';

const DIGITS = 'voipbin.call.digits';

export const branchAction = defineAction({
  type: 'branch',
  medium: 'any',
  by: 'manager',
  option: Type.Object({
    variable: field.text(`Name of the variable to look at; default ${DIGITS}. It is set to empty afterwards.`),
    target_ids: Type.Optional(
      Type.Record(Type.String(), Type.String({ pattern: ID_PATTERN }), { description: 'For each value the action to jump to.' }),
    ),
    default_target_id: field.id('The action to jump to on any other value; absent: goes on.'),
  }),
  doc: 'Jumps to one of several actions, by the value of a variable.',
  decide({ option, variables }) {
    const name = option.variable || DIGITS;
    // Own keys only: a value such as "constructor" must find nothing.
    const value = Object.hasOwn(variables, name) ? renderText(variables[name] ?? null) : '';
    const targets = option.target_ids ?? {};
    const chosen = Object.hasOwn(targets, value) ? targets[value] : undefined;
    // The service's own variables tell what this activeflow is, and stay; any other is used up by the choice.
    const set = isOwnVariable(name) ? {} : { [name]: '' };
    if (isSet(chosen)) return { kind: 'jump', target: chosen, set, reason: `${name} is ${quote(value)}: its target` };
    const missing = `${name} is ${quote(value)}: no target of its own`;
    if (!isSet(option.default_target_id)) return { kind: 'next', set, reason: `${missing} and no default: goes on` };
    return { kind: 'jump', target: option.default_target_id, set, reason: `${missing}: the default` };
  },
});
