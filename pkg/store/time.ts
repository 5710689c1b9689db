import { invalid } from '../error/index.ts';

const RFC3339 = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d+))?(?:[Zz]|[+-]00:00)$/;

const CANONICAL = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$/;

/**
 * Any RFC 3339 time as UTC with exactly six digits of seconds, `2026-11-21T08:45:10.947195Z`: such texts compare as
 * the times do. What is finer than a microsecond is cut off.
 */
export function canonicalTime(time: string): string {
  // As nearly all are that come here.
  if (CANONICAL.test(time) && !Number.isNaN(Date.parse(time))) return time;
  const match = RFC3339.exec(time);
  if (match && !Number.isNaN(Date.parse(`${match[1]}T${match[2]}Z`))) {
    return `${match[1]}T${match[2]}.${(match[3] ?? '').slice(0, 6).padEnd(6, '0')}Z`;
  }
  const ms = /^\d{4}-\d{2}-\d{2}[Tt ]/.test(time) ? Date.parse(time) : Number.NaN;
  if (Number.isNaN(ms)) throw invalid('INVALID_TIME', 'time', time, 'a time in RFC 3339, such as 2026-11-21T08:45:10.947195Z');
  const fraction = /\.(\d+)/.exec(time)?.[1] ?? '';
  return `${new Date(ms).toISOString().slice(0, 19)}.${fraction.slice(0, 6).padEnd(6, '0')}Z`;
}

/** ms since 1970 as canonical text. */
export function timeOfMs(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 23)}000Z`;
}
