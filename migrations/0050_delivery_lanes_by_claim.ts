import { createIndex } from './create-index.ts';

export const up = createIndex('delivery_lanes_by_claim', 'delivery_lanes', ['claimable_at', 'subscription_id']);
