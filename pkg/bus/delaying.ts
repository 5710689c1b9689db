import type { Bus } from '../service/ports.ts';

/** A bus that says how it delays, so that the composition root knows whether somebody must keep the messages. */
export interface DelayingBus extends Bus {
  /** True: delayed messages come to `storedQueue`, to be stored until their time. Throws BusError or the broker's error. */
  delayIsStored(): Promise<boolean>;
  /** Each delivery has the target queue as routing key and the delay in header `x-delay`, in ms. */
  readonly storedQueue: string;
  /** How many messages wait in a queue and are with nobody; 0 when there is no such queue. */
  waiting(queue: string): Promise<number>;
}

/** The plugin delivers at once what is above 2^32 - 1 ms (49 days). */
const MAX_DELAY_MS = 4_294_967_295;

export function assertDelay(delay_ms: number): void {
  if (Number.isInteger(delay_ms) && delay_ms >= 0 && delay_ms <= MAX_DELAY_MS) return;
  throw new RangeError(`expected a delay of 0 to ${MAX_DELAY_MS} ms, got ${delay_ms}`);
}
