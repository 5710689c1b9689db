import { createIndex } from './create-index.ts';

export const up = createIndex('delivery_lanes_by_subscription', 'delivery_lanes', ['subscription_id', 'claimable_at']);
