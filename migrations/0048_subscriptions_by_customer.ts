import { createIndex } from './create-index.ts';

export const up = createIndex('subscriptions_by_customer', 'subscriptions', ['customer_id', 'origin', 'tm_create', 'id']);
