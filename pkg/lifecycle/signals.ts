import type { Log } from '../service/ports.ts';
import type { Lifecycle } from './lifecycle.ts';

/** What is used of `process`. */
export interface SignalSource {
  on(signal: 'SIGTERM' | 'SIGINT', listener: (signal: string) => void): unknown;
  exit(code: number): void;
}

/**
 * The first SIGTERM or SIGINT drains and ends the process with 0, or with 1 when the deadline passed. The second
 * one ends it at once with 130: whoever sends it does not want to wait.
 */
export function stopOnSignals(lifecycle: Lifecycle, log: Log, source: SignalSource = process): void {
  let asked = false;
  const onSignal = (signal: string): void => {
    if (asked) {
      log.warn({ signal }, 'asked to stop again: ending at once');
      source.exit(130);
      return;
    }
    asked = true;
    void lifecycle.stop(signal).then((inTime) => source.exit(inTime ? 0 : 1));
  };
  source.on('SIGTERM', onSignal);
  source.on('SIGINT', onSignal);
}
