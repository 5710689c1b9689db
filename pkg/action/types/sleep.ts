import { Type } from 'typebox';
import { defineAction } from '../definition.ts';
import { field } from '../schema.ts';

export const sleepAction = defineAction({
  type: 'sleep',
  medium: 'any',
  by: 'caller',
  option: Type.Object({
    duration: field.count('How long, in ms.'),
  }),
  doc: 'Pauses. A call pauses in the call service; where the reference is no call, the flow itself waits.',
  decide({ activeflow, option }) {
    if (activeflow.reference_type === 'call') return { kind: 'hand_over', reason: '' };
    const ms = option.duration ?? 0;
    if (ms === 0) return { kind: 'next', reason: 'nothing to wait for' };
    return { kind: 'wait', ms, reason: `for ${ms} ms` };
  },
});
