/** One more step of a JSON Pointer (RFC 6901). A key of any length is data from outside, so it is cut for showing. */
export function pointer(base: string, key: string | number): string {
  const text = String(key);
  const shown = text.length > 100 ? `${text.slice(0, 99)}…` : text;
  return `${base}/${shown.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** The keys of a JSON Pointer. */
export function pointerKeys(path: string): string[] {
  return path
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** What stands at a JSON Pointer; undefined when there is nothing. Own keys only. */
export function valueAt(root: unknown, path: string): unknown {
  let at = root;
  for (const key of pointerKeys(path)) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Readonly<Record<string, unknown>>)[key];
  }
  return at;
}

/** True when a value is nested deeper than `limit` levels: everything that walks a value may then recurse. */
export function deeperThan(value: unknown, limit: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (limit === 0) return true;
  const items: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  return items.some((item) => deeperThan(item, limit - 1));
}
