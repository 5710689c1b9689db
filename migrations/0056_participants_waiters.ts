import { addColumn } from './add-column.ts';

export const up = addColumn('participants', 'waiters', (types) => types.json);
