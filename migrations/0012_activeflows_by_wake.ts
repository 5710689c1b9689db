import { createIndex } from './create-index.ts';

export const up = createIndex('activeflows_by_wake', 'activeflows', ['wake_at']);
