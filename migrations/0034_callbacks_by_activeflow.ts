import { createIndex } from './create-index.ts';

export const up = createIndex('callbacks_by_activeflow', 'callbacks', ['activeflow_id', 'step']);
