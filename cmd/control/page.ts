import { Option } from 'commander';
import { isJsonObject, type Json, type JsonObject } from '../../pkg/model/json.ts';
import type { Session } from './context.ts';
import { parseCount } from './input.ts';
import { printList } from './print.ts';
import type { Column } from './table.ts';
import { paint } from './terminal.ts';

export interface PageOptions {
  readonly page_size: number;
  readonly page_token?: string;
  readonly all?: boolean;
}

export const PAGE_OPTIONS = (): Option[] => [
  new Option('--page_size <n>', 'how many at once, at most 1000').default(100).argParser(parseCount),
  new Option('--page_token <token>', 'goes on after this one'),
  new Option('--all', 'every page'),
];

/** Lists one page, or all; says on stderr how to go on when there may be more. */
export async function listAll(
  session: Session,
  uri: string,
  filters: JsonObject,
  options: PageOptions,
  columns: readonly Column<JsonObject>[],
  query: Readonly<Record<string, string>> = {},
): Promise<void> {
  const rows: Json[] = [];
  let token = options.page_token;
  for (;;) {
    const asked = new URLSearchParams({
      ...query,
      page_size: String(options.page_size),
      ...(token === undefined ? {} : { page_token: token }),
    });
    const page = await session.ask('GET', `${uri}?${asked}`, filters);
    const items = Array.isArray(page) ? page : [];
    rows.push(...items);
    token = items.length === options.page_size ? tokenOf(items.at(-1)) : undefined;
    if (token === undefined || options.all !== true) break;
  }
  printList(session, rows, columns);
  if (token !== undefined)
    session.terminal.err(paint(session.terminal, 'dim', `there may be more: --page_token '${token}', or --all`));
}

/** Time and id: with the time alone, items of the same microsecond could be skipped. */
function tokenOf(last: Json | undefined): string | undefined {
  return isJsonObject(last) && typeof last.tm_create === 'string' ? `${last.tm_create}~${String(last.id ?? '')}` : undefined;
}
