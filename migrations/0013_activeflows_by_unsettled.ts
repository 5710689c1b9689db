import { createIndex } from './create-index.ts';

export const up = createIndex('activeflows_by_unsettled', 'activeflows', ['unsettled_at']);
