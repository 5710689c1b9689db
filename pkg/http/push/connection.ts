import type { PushSink } from '../../service/push/hub.ts';

/** How long a receiver may take to make room before it is dropped. It comes again, and goes on where it was. */
export const SLOW_MS = 10_000;
/** How long a connection is silent before it is shown to live. */
export const QUIET_MS = 15_000;

/** One open tab, by whatever protocol. */
export interface Connection {
  readonly protocol: 'sse' | 'websocket';
  readonly sink: PushSink;
  onClose(listener: () => void): void;
  /** In an orderly way. `leaving`: the daemon stops; `expired`: the token that it was opened with is over. */
  end(why: 'leaving' | 'expired'): void;
  drop(): void;
}
