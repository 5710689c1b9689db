import { createIndex } from './create-index.ts';

export const up = createIndex('activeflows_by_create_hash', 'activeflows', ['create_hash'], 'unique');
