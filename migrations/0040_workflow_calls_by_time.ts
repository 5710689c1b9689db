import { createIndex } from './create-index.ts';

export const up = createIndex('workflow_calls_by_time', 'workflow_calls', ['tm_create']);
