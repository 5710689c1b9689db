import { createIndex } from './create-index.ts';

export const up = createIndex('activeflows_by_status', 'activeflows', ['status']);
