export { AmqpBus } from './amqp/index.ts';
export { deadLetterQueue } from './dead_letter.ts';
export type { DelayingBus } from './delaying.ts';
export { MemoryBus } from './memory.ts';
