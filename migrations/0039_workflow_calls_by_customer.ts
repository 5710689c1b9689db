import { createIndex } from './create-index.ts';

export const up = createIndex('workflow_calls_by_customer', 'workflow_calls', ['customer_id', 'tm_create']);
