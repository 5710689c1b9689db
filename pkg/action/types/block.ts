import { defineAction } from '../definition.ts';
import { NO_OPTION } from '../schema.ts';

export const blockAction = defineAction({
  type: 'block',
  medium: 'non_rtc',
  by: 'manager',
  in_branch: false,
  option: NO_OPTION,
  doc: 'Stands still until a continue request comes.',
  decide() {
    return { kind: 'wait', reason: 'until continue' };
  },
});
