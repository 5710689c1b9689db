import { readFileSync } from 'node:fs';

/** What a process has in memory now, in MiB. */
export function residentMib(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}

/** One figure of a daemon's metrics: the sum over all series whose line begins so. */
export async function metricOf(ready: string, name: string): Promise<number> {
  const address = /metrics at (\S+)/.exec(ready)?.[1];
  const text = await (await fetch(`http://${address}`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(name));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
