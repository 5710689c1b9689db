import type { Page } from './ports.ts';

/** How many items of one time are read at once. */
const TIES = 100;

/**
 * A page of a list whose callers go on from the time of its last item, exclusive. A page must not end between two
 * items of one time, or the rest of them would be skipped: it is then longer than asked for, by those.
 */
export async function wholePage<T extends { readonly tm_create: string; readonly id: string }>(
  list: (page: Page) => Promise<T[]>,
  page: Page,
): Promise<T[]> {
  const found = await list({ ...page, size: page.size + 1 });
  const items = found.slice(0, page.size);
  const last = items.at(-1);
  if (!last || found[page.size]?.tm_create !== last.tm_create) return items;
  for (let from = last; ; ) {
    const next = await list({ size: TIES, after: { tm_create: from.tm_create, id: from.id } });
    const tied = next.filter((item) => item.tm_create === last.tm_create);
    items.push(...tied);
    const end = tied.at(-1);
    if (!end || tied.length < TIES) return items;
    from = end;
  }
}
