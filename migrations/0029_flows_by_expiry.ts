import { createIndex } from './create-index.ts';

export const up = createIndex('flows_by_expiry', 'flows', ['tm_expire', 'id']);
