import { addColumn } from './add-column.ts';

export const up = addColumn('action_lists', 'tm_used', (types) => types.time);
