import { FlowError } from '../../pkg/error/index.ts';
import { NIL } from '../../pkg/model/id.ts';
import { isJsonObject, type Json, type JsonObject } from '../../pkg/model/json.ts';
import { LostAnswer, RpcError } from './client.ts';
import type { Session } from './context.ts';
import { type Column, printable, renderTable } from './table.ts';
import { paint, type Terminal } from './terminal.ts';

type Output = Pick<Session, 'terminal' | 'json'>;

/** A field of a resource as text; nothing where there is none. */
export function field(row: JsonObject, name: string): string {
  const value = row[name] ?? '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

export function column(name: string, more: Partial<Column<JsonObject>> = {}): Column<JsonObject> {
  return { title: name, value: (row) => field(row, name), ...more };
}

export function printList(output: Output, rows: Json, columns: readonly Column<JsonObject>[]): void {
  if (output.json) {
    printJson(output, rows);
    return;
  }
  for (const line of renderTable(objects(rows), columns, output.terminal)) output.terminal.out(line);
}

/** One resource: a line per field; `lists` are printed below as tables of their own. */
export function printResource(
  output: Output,
  resource: Json,
  lists: { readonly [name: string]: readonly Column<JsonObject>[] } = {},
): void {
  if (output.json || !isJsonObject(resource)) {
    printJson(output, resource);
    return;
  }
  const entries = Object.entries(resource).filter(
    ([name, value]) => !(name in lists) && value !== null && value !== '' && value !== NIL,
  );
  const columns: Column<[string, Json]>[] = [
    { title: 'field', value: ([name]) => name, colour: () => 'dim' },
    { title: 'value', value: ([, value]) => (typeof value === 'object' ? JSON.stringify(value) : String(value)), shrink: true },
  ];
  for (const line of renderTable(entries, columns, output.terminal).slice(1)) output.terminal.out(line);
  for (const [name, of] of Object.entries(lists)) {
    const rows = objects(resource[name] ?? []);
    if (rows.length === 0) continue;
    output.terminal.out('');
    output.terminal.out(paint(output.terminal, 'bold', name));
    for (const line of renderTable(rows, of, output.terminal)) output.terminal.out(line);
  }
}

export const ACTION_COLUMNS: readonly Column<JsonObject>[] = [
  column('id'),
  column('type'),
  column('name', { shrink: true }),
  column('option', { shrink: true }),
];

export const WARNING_COLUMNS: readonly Column<JsonObject>[] = [column('path'), column('message', { shrink: true })];

export function printJson(output: Output, value: Json): void {
  output.terminal.out(JSON.stringify(value, null, 2));
}

/** What went wrong, for a person, on stderr. */
export function printError(terminal: Terminal, error: unknown): void {
  const title = paint(terminal, 'red', 'error:');
  if (error instanceof FlowError) {
    printError(terminal, new RpcError({ status_code: error.code, data: wireOf(error) }));
    return;
  }
  if (!(error instanceof RpcError)) {
    const message = error instanceof Error ? error.message : String(error);
    terminal.err(`${title} ${printable(message)}`);
    if (error instanceof LostAnswer && error.reached) terminal.err('  It is not known whether the request was carried out.');
    return;
  }
  const number = error.status === String(error.status_code) ? '' : ` (${error.status_code})`;
  terminal.err(`${title} ${error.status}${number}${error.reason === '' ? '' : ` ${error.reason}`}: ${printable(error.message)}`);
  for (const detail of error.details) terminal.err(`  ${printable(showDetail(detail))}`);
}

/** An error of this program's own rooms (a DSN that cannot be read, say) looks like one from a daemon. */
function wireOf({ status, reason, message, details }: FlowError): JsonObject {
  return {
    status,
    reason,
    message,
    details: details.map(({ field: name, expected }) => ({ field: name, expected: expected ?? '' })),
  };
}

function showDetail(detail: Json): string {
  if (!isJsonObject(detail)) return JSON.stringify(detail);
  const { field: name, value, expected, ...rest } = detail;
  const said = [
    value === undefined ? '' : `got ${typeof value === 'string' ? value : JSON.stringify(value)}`,
    expected === undefined ? '' : `expected ${String(expected)}`,
    Object.keys(rest).length === 0 ? '' : JSON.stringify(rest),
  ].filter((part) => part !== '');
  return name === undefined ? said.join(', ') : `${String(name)}: ${said.join(', ')}`;
}

export function objects(value: Json): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}
