import { createIndex } from './create-index.ts';

export const up = createIndex('activeflows_by_reference', 'activeflows', ['reference_id', 'tm_create', 'id']);
