import { createIndex } from './create-index.ts';

export const up = createIndex('deliveries_by_id', 'deliveries', ['id'], 'unique');
