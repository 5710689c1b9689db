import type { ChildProcess } from 'node:child_process';

/** Children of the bench and what else must not outlive it, ended by their own pids whatever way the bench ends. */
const children = new Set<ChildProcess>();
const cleanups: (() => Promise<void>)[] = [];
let ending: Promise<void> | undefined;

/** Keeps a child in mind: it is ended at the latest when the bench is. */
export function own<C extends ChildProcess>(child: C): C {
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/** Runs when the bench ends, the latest first. */
export function atEnd(cleanup: () => Promise<void>): void {
  cleanups.push(cleanup);
}

/** True once the end has begun: what fails from here on fails because of it. */
export function isEnding(): boolean {
  return ending !== undefined;
}

/** Ends everything, once; after it, nothing of the bench is left. */
export function endAll(): Promise<void> {
  ending ??= (async () => {
    await Promise.all([...children].map((child) => endChild(child, 0)));
    for (const cleanup of cleanups.reverse()) await cleanup();
  })();
  return ending;
}

/** Asks it to end, and ends it by force after `patience_ms`. Resolves when it is gone. */
export async function endChild(child: ChildProcess, patience_ms: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), patience_ms);
  await gone;
  clearTimeout(force);
}

/** Whatever ends the bench ends what it has started first. */
export function endWell(fail: (error: unknown) => void): void {
  // `on`, not `once`: Ctrl-C arrives twice under a wrapper, and the second one must not cut the clean-up short.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => void endAll().then(() => process.exit(130), fail));
  }
  process.on('uncaughtException', fail);
  process.once('exit', () => {
    for (const child of children) child.kill('SIGKILL');
  });
}
