import { createIndex } from './create-index.ts';

export const up = createIndex('events_by_id', 'events', ['id'], 'unique');
