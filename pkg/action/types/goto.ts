import { type Static, Type } from 'typebox';
import { isSet } from '../../model/id.ts';
import { type ActionContext, defineAction } from '../definition.ts';
import { failure } from '../fail.ts';
import { field } from '../schema.ts';

const GotoOption = Type.Object({
  target_id: field.id('The action to jump to: in this list, or in one that led here.'),
  loop_count: field.count(
    'How often it jumps before it goes on, counting anew when it is reached again; absent or 0: it does not jump.',
  ),
  target_index: field.integer('Old form of target_id: position in this list, from 0.'),
  // Some flows hold a count here, others true or false beside loop_count.
  loop: Type.Optional(Type.Union([Type.Boolean(), Type.Integer()], { description: 'Old form of loop_count; true alone: once.' })),
});
type GotoOption = Static<typeof GotoOption>;

export const gotoAction = defineAction({
  type: 'goto',
  medium: 'any',
  by: 'manager',
  option: GotoOption,
  doc: 'Jumps to another action a number of times, then goes on.',
  decide(context) {
    const count = times(context.option);
    if (count <= 0) return { kind: 'next', reason: 'no loop_count: does not jump' };
    if (context.loops >= count) return { kind: 'loop_done', reason: `has jumped ${context.loops} of ${count} times` };
    const loops = context.loops + 1;
    return { kind: 'jump', target: target(context), loops, reason: `jump ${loops} of ${count}` };
  },
});

function times(option: GotoOption): number {
  if (option.loop_count !== undefined) return option.loop_count;
  return Number(option.loop ?? 0);
}

/** An id beats an index: older clients send both, the index as 0. */
function target({ option, actionAt }: ActionContext<GotoOption>): string {
  if (isSet(option.target_id)) return option.target_id;
  if (option.target_index === undefined) throw failure('INVALID_ARGUMENT', 'NO_TARGET', 'goto: no target_id is given');
  const id = actionAt(option.target_index);
  if (id !== undefined) return id;
  throw failure('NOT_FOUND', 'TARGET_NOT_FOUND', `goto: this list has no action at position ${option.target_index}`);
}
