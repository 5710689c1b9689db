import { createIndex } from './create-index.ts';

export const up = createIndex('activeflows_by_flow', 'activeflows', ['flow_id', 'tm_create', 'id']);
