import { readFileSync } from 'node:fs';

/** Of the process's first thread: nanoseconds it has run, nanoseconds it was ready and waited for a processor. Linux. */
const SCHEDULED = '/proc/self/schedstat';

/**
 * The part of the time since it was last asked, 0 to 1, in which the process ran or waited for a processor. Where others on the
 * same machine keep it from running, its event loop alone looks as if it had little to do; that is all that can be
 * known where the kernel does not tell (`scheduled` is undefined).
 */
export function busySince(
  scheduled: () => number | undefined = scheduledMs,
  now: () => number = () => performance.now(),
): () => number {
  const look = () => ({ at: now(), wanted: scheduled() ?? performance.eventLoopUtilization().active });
  let last = look();
  return () => {
    const before = last;
    last = look();
    return Math.min(1, (last.wanted - before.wanted) / (last.at - before.at));
  };
}

/** How long this thread has wanted a processor so far, in ms, whether it had one or not. Undefined: the kernel does not tell. */
function scheduledMs(): number | undefined {
  try {
    const [ran = 0, waited = 0] = readFileSync(SCHEDULED, 'latin1').split(' ').map(Number);
    return ran > 0 ? (ran + waited) / 1e6 : undefined;
  } catch {
    return undefined;
  }
}
