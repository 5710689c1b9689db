import { createIndex } from './create-index.ts';

export const up = createIndex('deliveries_by_subscription', 'deliveries', ['subscription_id', 'tm_create', 'id']);
