import { createIndex } from './create-index.ts';

export const up = createIndex('delayed_messages_by_due', 'delayed_messages', ['due_at']);
