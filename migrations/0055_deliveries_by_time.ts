import { createIndex } from './create-index.ts';

export const up = createIndex('deliveries_by_time', 'deliveries', ['tm_create', 'id']);
