import { createIndex } from './create-index.ts';

export const up = createIndex('flows_by_customer', 'flows', ['customer_id', 'tm_create', 'id']);
