import { createIndex } from './create-index.ts';

export const up = createIndex('activeflows_by_time', 'activeflows', ['tm_create', 'id']);
