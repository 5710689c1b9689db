import type { Row } from './measure.ts';
import type { Figure } from './statistics.ts';
import type { Target } from './targets.ts';

const COLUMNS = [
  ['measure', 34],
  ['callers', -7],
  ['calls/s (min–max)', -22],
  ['÷ (min–max)', -18],
  ['p50 ms', -8],
  ['÷', -6],
  ['p99 ms', -8],
  ['÷', -6],
  ['errors', -7],
  ['stmts', -6],
  ['rows/upd', -9],
  ['msgs', -6],
] as const;

export function header(): string {
  return line(COLUMNS.map(([title]) => title));
}

export function rowLine(row: Row): string {
  const { ratio } = row;
  return line([
    row.measure,
    row.callers,
    `${amount(row.per_second.median)} (${amount(row.per_second.min)}–${amount(row.per_second.max)})`,
    ratio ? `${fixed(ratio.per_second.median)} (${fixed(ratio.per_second.min)}–${fixed(ratio.per_second.max)})` : '',
    fixed(row.p50_ms.median),
    ratio ? fixed(ratio.p50.median) : '',
    fixed(row.p99_ms.median),
    ratio ? fixed(ratio.p99.median) : '',
    row.errors,
    fixed(row.statements_per_call),
    row.rows_per_update === 0 ? '' : fixed(row.rows_per_update),
    fixed(row.messages_per_call),
  ]);
}

/** Who has used the CPU: microseconds a call, and how much of a core that was. */
export function cpuLine(row: Row): string {
  const shares = Object.entries(row.cpu_us).filter(([, us]) => us >= 0.5);
  const cores = (us: number): string => fixed((us * row.per_second.median) / 1e6);
  return `    CPU µs a call (cores): ${shares.map(([name, us]) => `${name} ${Math.round(us)} (${cores(us)})`).join(', ')}`;
}

export function figureLine({ figure, unit, median, min, max }: Figure): string {
  return `${figure}: ${amount(median)} ${unit} (${amount(min)}–${amount(max)})`;
}

export function targetLine({ target, measured, met }: Target): string {
  return `${met ? 'met    ' : 'NOT MET'}  ${target}: ${fixed(measured)}`;
}

function line(cells: readonly (string | number)[]): string {
  return cells
    .map((cell, at) => {
      const width = COLUMNS[at]?.[1] ?? 0;
      return width > 0 ? String(cell).padEnd(width) : String(cell).padStart(-width);
    })
    .join(' ');
}

const amount = (value: number): string => (value >= 100 ? Math.round(value).toString() : value.toFixed(1));
const fixed = (value: number): string => value.toFixed(2);
