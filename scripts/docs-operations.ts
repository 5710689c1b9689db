/**
 * Renews the tables of docs/operations.md from the code: `npx tsx scripts/docs-operations.ts`. A table stands between
 * `<!-- flags -->` or `<!-- metrics -->` and `<!-- end -->`; the prose around it is written by hand.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { FLAGS, type Flag } from '../pkg/config/flags.ts';
import { COUNTER_HELP, GAUGE_HELP, HISTOGRAM_FORMS } from '../pkg/metric/table.ts';
import { COUNTERS, GAUGES, HISTOGRAMS } from '../pkg/model/metric.ts';

const PAGE = new URL('../docs/operations.md', import.meta.url);

/** The page with its tables as they should be. Throws when a table has lost its place. */
export function renewed(page: string): string {
  return fill(fill(page, 'flags', flagsTable()), 'metrics', metricsTable());
}

function fill(page: string, name: string, table: string): string {
  const [begin, end] = [`<!-- ${name} -->\n`, '\n<!-- end -->'];
  const from = page.indexOf(begin);
  const to = page.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`docs/operations.md has no place for the ${name}: ${begin.trim()} … ${end.trim()}`);
  return page.slice(0, from + begin.length) + table + page.slice(to);
}

function flagsTable(): string {
  const rows = FLAGS.map((flag) => `| \`--${flag.name}\` | ${valueIn(flag)} | ${defaultOf(flag)} | ${cell(flag.help)} |`);
  return ['| flag | value | default | what it is |', '|---|---|---|---|', ...rows].join('\n');
}

function valueIn(flag: Flag): string {
  return flag.kind === 'switch' ? '' : `\`${flag.value ?? '<text>'}\``;
}

function defaultOf(flag: Flag): string {
  return flag.default === undefined || flag.default === false || flag.default === '' ? '' : `\`${flag.default}\``;
}

function metricsTable(): string {
  const helps = Object.fromEntries(Object.entries(HISTOGRAM_FORMS).map(([name, { help }]) => [name, help]));
  const rows = [
    ...rowsOf('counter', COUNTERS, COUNTER_HELP),
    ...rowsOf('gauge', GAUGES, GAUGE_HELP),
    ...rowsOf('histogram', HISTOGRAMS, helps),
  ];
  return ['| metric | kind | labels | what it says |', '|---|---|---|---|', ...rows.sort()].join('\n');
}

function rowsOf(
  kind: string,
  labels: Readonly<Record<string, readonly string[]>>,
  helps: Readonly<Record<string, string>>,
): string[] {
  return Object.entries(labels).map(
    ([name, of]) => `| \`flow_manager_${name}\` | ${kind} | ${of.join(', ')} | ${cell(helps[name] ?? '')} |`,
  );
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync(PAGE, renewed(readFileSync(PAGE, 'utf8')));
}
