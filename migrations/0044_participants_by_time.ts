import { createIndex } from './create-index.ts';

export const up = createIndex('participants_by_time', 'participants', ['tm_update']);
