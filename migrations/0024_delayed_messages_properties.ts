import { addColumn } from './add-column.ts';

export const up = addColumn('delayed_messages', 'properties', (types) => types.json);
