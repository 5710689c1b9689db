import { Type } from 'typebox';
import { defineAction } from '../definition.ts';
import { field } from '../schema.ts';
import { quote } from '../text.ts';
import { verdict } from '../verdict.ts';
import { askObject, request, textOf } from './sibling.ts';

export const conditionCallDigitsAction = defineAction({
  type: 'condition_call_digits',
  medium: 'rtc',
  by: 'manager',
  option: Type.Object({
    length: field.integer('How many digits are enough; 0: not looked at.'),
    key: field.text('A key whose press is enough; empty: not looked at.'),
    false_target_id: field.id('Where to go otherwise.'),
  }),
  doc: 'Goes on when the digits pressed so far are as many as length, or contain key; else to false_target_id.',
  *decide({ activeflow, option }) {
    const get = request('call', 'GET', `/v1/calls/${activeflow.reference_id}/digits`);
    const digits = textOf(get, yield* askObject(get), 'digits');
    const { length = 0, key = '' } = option;
    const tests: string[] = [];
    if (length > 0) tests.push(`length ${digits.length} >= ${length}`);
    if (key !== '') tests.push(`${quote(digits)} contains ${quote(key)}`);
    const holds = (length > 0 && digits.length >= length) || (key !== '' && digits.includes(key));
    const shown = tests.length === 0 ? 'neither length nor key is given' : tests.join(' or ');
    return verdict({ holds, shown }, option.false_target_id);
  },
});
