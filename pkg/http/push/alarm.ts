/** Time, as the push channel needs it: by the clock that tokens are checked with. */
export interface Alarm {
  /** In ms. */
  now(): number;
  /** Calls it once, so many ms from now; keeps no process alive. Returns what calls it off. */
  after(ms: number, work: () => void): () => void;
}

/** Longer timers fire at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const SYSTEM_ALARM: Alarm = {
  now: () => Date.now(),
  after(ms, work) {
    const timer = setTimeout(work, ms).unref();
    return () => clearTimeout(timer);
  },
};

/** Calls it at that time, in ms, or soon when that is over. Returns what calls it off. */
export function at(time: number, alarm: Alarm, work: () => void): () => void {
  let callOff = (): void => undefined;
  const wait = (): void => {
    const left = time - alarm.now();
    if (left <= 0) work();
    else callOff = alarm.after(Math.min(left, LONGEST_TIMER_MS), wait);
  };
  callOff = alarm.after(0, wait);
  return () => callOff();
}
