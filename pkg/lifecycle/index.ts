export { Lifecycle } from './lifecycle.ts';
export { retryUntilUp } from './retry.ts';
export { stopOnSignals } from './signals.ts';
export { SpareMemory } from './spare-memory.ts';
