import { createIndex } from './create-index.ts';

export const up = createIndex('activeflows_by_customer', 'activeflows', ['customer_id', 'tm_create', 'id']);
