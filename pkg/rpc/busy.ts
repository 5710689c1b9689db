/** The part of the time since it was last asked in which the process was busy, 0 to 1, as its event loop has it. */
export function busySince(): () => number {
  let last = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return utilization;
  };
}
