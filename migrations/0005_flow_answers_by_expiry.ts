import { createIndex } from './create-index.ts';

export const up = createIndex('flow_answers_by_expiry', 'flow_answers', ['expires_at']);
