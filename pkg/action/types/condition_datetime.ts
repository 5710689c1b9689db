import { type Static, Type } from 'typebox';
import { compare } from '../compare.ts';
import { defineAction } from '../definition.ts';
import { failure } from '../fail.ts';
import { field } from '../schema.ts';
import { quote } from '../text.ts';
import { type Verdict, verdict } from '../verdict.ts';
import { isTimezone, type WallTime, wallTime } from '../zone.ts';

/*
 * `now <condition> option`, in the time zone, to the minute; all that is given must hold.
 * - hour and minute: one time of day, so that `>= 9:30` holds at 10:00. Only the hour: the hour alone, so that
 *   `== 9` holds from 9:00 to 9:59 and `<= 17` until 17:59. Only the minute: the minute of whatever hour.
 * - month and day: one date of whatever year, so that `>= 3/15` holds on 1 April. Only one of them: that alone.
 * - weekdays: the day is one of them, whatever the condition.
 * Nothing given holds. A condition that is none of the six holds only where there is nothing to compare.
 */
const ConditionDatetimeOption = Type.Object({
  condition: field.text('now <condition> what is given: ==, !=, >, >=, < or <=; any other is false.'),
  minute: field.integer('0 to 59; together with hour a time of day. Absent or negative: any.'),
  hour: field.integer('0 to 23. Absent or negative: any.'),
  day: field.integer('1 to 31; together with month a date. Absent, 0 or negative: any.'),
  month: field.integer('1 to 12. Absent, 0 or negative: any.'),
  weekdays: Type.Optional(
    Type.Array(Type.Integer({ minimum: 0, maximum: 6 }), {
      description: 'Any of these: 0 Sunday to 6 Saturday. Absent or empty: any.',
    }),
  ),
  timezone: Type.Optional(
    Type.Refine(
      Type.String({ description: 'IANA time zone, for example Europe/Rome; default UTC.' }),
      (name) => name === '' || isTimezone(name),
      () => 'an IANA time zone such as Europe/Rome',
    ),
  ),
  false_target_id: field.id('The action to jump to when it is false; absent: goes on.'),
});
type ConditionDatetimeOption = Static<typeof ConditionDatetimeOption>;

export const conditionDatetimeAction = defineAction({
  type: 'condition_datetime',
  medium: 'any',
  by: 'manager',
  option: ConditionDatetimeOption,
  doc: 'Goes on when the time and date are as given, else jumps.',
  decide({ option, now }) {
    const zone = option.timezone || 'UTC';
    const time = wallTime(now, zone);
    if (!time) throw failure('INVALID_ARGUMENT', 'UNKNOWN_TIMEZONE', `condition_datetime: ${quote(zone)} is no IANA time zone`);
    return verdict(holds(time, option, zone), option.false_target_id);
  },
});

function holds(time: WallTime, option: ConditionDatetimeOption, zone: string): Verdict {
  const condition = option.condition ?? '';
  const parts = [timeOfDay(time, option), date(time, option)].filter((part) => part !== undefined);
  const tests = parts.map((part) => ({
    holds: compare(part.now, condition, part.given) ?? false,
    shown: `${part.show(part.now)} ${condition} ${part.show(part.given)}`,
  }));
  const weekdays = option.weekdays ?? [];
  if (weekdays.length > 0) {
    tests.push({ holds: weekdays.includes(time.weekday), shown: `weekday ${time.weekday} in [${weekdays.join(', ')}]` });
  }
  if (tests.length === 0) return { holds: true, shown: 'any time' };
  const unknown = parts.length > 0 && compare(0, condition, 0) === undefined ? `unknown condition ${quote(condition)}, ` : '';
  return { holds: tests.every((test) => test.holds), shown: `${unknown}${tests.map((test) => test.shown).join(', ')} (${zone})` };
}

/** Two values to compare, and how a person reads one of them. */
interface Part {
  readonly now: number;
  readonly given: number;
  readonly show: (value: number) => string;
}

/** More than any minute, any day: what is outside the clock's range (24:00, say) compares as one expects. */
const STEP = 1_000_000;
const pair = (separator: string) => (value: number) => `${two(Math.floor(value / STEP))}${separator}${two(value % STEP)}`;
const named = (name: string) => (value: number) => `${name} ${two(value)}`;

function timeOfDay(now: WallTime, { hour = -1, minute = -1 }: ConditionDatetimeOption): Part | undefined {
  if (hour >= 0 && minute >= 0) {
    return { now: now.hour * STEP + now.minute, given: hour * STEP + minute, show: pair(':') };
  }
  if (hour >= 0) return { now: now.hour, given: hour, show: named('hour') };
  return minute >= 0 ? { now: now.minute, given: minute, show: named('minute') } : undefined;
}

function date(now: WallTime, { month = 0, day = 0 }: ConditionDatetimeOption): Part | undefined {
  if (month > 0 && day > 0) {
    return { now: now.month * STEP + now.day, given: month * STEP + day, show: pair('/') };
  }
  if (month > 0) return { now: now.month, given: month, show: named('month') };
  return day > 0 ? { now: now.day, given: day, show: named('day') } : undefined;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
