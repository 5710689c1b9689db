import { type Static, Type } from 'typebox';
import { compare, numberOf } from '../compare.ts';
import { defineAction } from '../definition.ts';
import { field } from '../schema.ts';
import { quote } from '../text.ts';
import { type Verdict, verdict } from '../verdict.ts';

const ConditionVariableOption = Type.Object({
  condition: field.text('==, !=, >, >=, < or <=; any other is false.'),
  variable: field.text(`The text to compare, mostly \${name}.`),
  value_type: field.oneOf(
    ['string', 'number', 'length'],
    'Compare as text (default), as a number, or by the number of characters.',
  ),
  value_string: field.text('What to compare with, for string.'),
  value_number: field.number('What to compare with, for number.'),
  value_length: field.count('What to compare with, for length.'),
  false_target_id: field.id('The action to jump to when it is false; absent: goes on.'),
});

export const conditionVariableAction = defineAction({
  type: 'condition_variable',
  medium: 'any',
  by: 'manager',
  option: ConditionVariableOption,
  doc: 'Goes on when a comparison holds, else jumps.',
  decide({ option }) {
    return verdict(holds(option), option.false_target_id);
  },
});

/** The variable's text has been substituted by now. */
function holds(option: Static<typeof ConditionVariableOption>): Verdict {
  const text = option.variable ?? '';
  const condition = option.condition ?? '';
  switch (option.value_type) {
    case 'number': {
      const number = numberOf(text);
      if (number === undefined) return { holds: false, shown: `${quote(text)} is not a number` };
      return compared(number, condition, option.value_number ?? 0);
    }
    case 'length':
      // Characters as a person counts them, so that an emoji is one and not two.
      return compared([...text].length, condition, option.value_length ?? 0);
    default:
      return compared(text, condition, option.value_string ?? '');
  }
}

function compared(left: number | string, condition: string, right: number | string): Verdict {
  const result = compare(left, condition, right);
  if (result === undefined) return { holds: false, shown: `unknown condition ${quote(condition)}` };
  return { holds: result, shown: `${show(left)} ${condition} ${show(right)}` };
}

function show(value: number | string): string {
  return typeof value === 'number' ? String(value) : quote(value);
}
