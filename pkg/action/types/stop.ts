import { defineAction } from '../definition.ts';
import { NO_OPTION } from '../schema.ts';

export const stopAction = defineAction({
  type: 'stop',
  medium: 'any',
  by: 'manager',
  option: NO_OPTION,
  doc: 'Ends the flow.',
  decide() {
    return { kind: 'finish', reason: 'the flow stops here' };
  },
});
