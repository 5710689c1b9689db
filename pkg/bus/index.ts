export { type DeadLetter, DeadLetters, type Retried } from './amqp/dead_letters.ts';
export { AmqpBus } from './amqp/index.ts';
export { deadLetterQueue } from './dead_letter.ts';
export type { DelayingBus } from './delaying.ts';
export { MemoryBus } from './memory.ts';
