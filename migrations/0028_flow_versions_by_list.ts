import { createIndex } from './create-index.ts';

export const up = createIndex('flow_versions_by_list', 'flow_versions', ['list']);
