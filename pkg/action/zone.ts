/** A moment as a clock and a calendar on the wall of some place show it. */
export interface WallTime {
  readonly minute: number;
  readonly hour: number;
  readonly day: number;
  /** 1 January … 12 December */
  readonly month: number;
  /** 0 Sunday … 6 Saturday */
  readonly weekday: number;
}

/** Making one takes long (tens of µs), asking it does not. */
const formats = new Map<string, Intl.DateTimeFormat>();
/** More than the zones that exist: names are taken in any case, and an author could write a zone in endless ways. */
const MOST_FORMATS = 1_000;

export function isTimezone(timezone: string): boolean {
  return formatOf(timezone) !== undefined;
}

/** Undefined when there is no such time zone. `now` in ms since 1970, UTC. */
export function wallTime(now: number, timezone: string): WallTime | undefined {
  const format = formatOf(timezone);
  if (!format) return undefined;
  const parts = new Map(format.formatToParts(now).map((part) => [part.type, Number(part.value)]));
  const part = (name: Intl.DateTimeFormatPartTypes) => parts.get(name) ?? 0;
  return {
    minute: part('minute'),
    hour: part('hour'),
    day: part('day'),
    month: part('month'),
    weekday: new Date(Date.UTC(part('year'), part('month') - 1, part('day'))).getUTCDay(),
  };
}

function formatOf(timezone: string): Intl.DateTimeFormat | undefined {
  const known = formats.get(timezone);
  if (known) return known;
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: timezone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    });
    if (formats.size >= MOST_FORMATS) formats.clear();
    formats.set(timezone, format);
    return format;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
