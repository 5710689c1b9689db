import { defineAction } from '../definition.ts';
import { NO_OPTION } from '../schema.ts';

export const emptyAction = defineAction({
  type: 'empty',
  medium: 'any',
  by: 'manager',
  option: NO_OPTION,
  doc: 'Does nothing: a place to jump to.',
  decide() {
    return { kind: 'next', reason: '' };
  },
});
