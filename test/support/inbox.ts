/** Collects what arrives, so that a test can await it instead of sleeping. */
export class Inbox<T> {
  readonly items: T[] = [];
  #waiters: { readonly count: number; readonly resolve: () => void }[] = [];

  readonly push = (item: T): void => {
    this.items.push(item);
    this.#waiters = this.#waiters.filter((waiter) => {
      if (this.items.length < waiter.count) return true;
      waiter.resolve();
      return false;
    });
  };

  /** The first `count` items, once there are so many. */
  async first(count: number): Promise<T[]> {
    if (this.items.length < count) await new Promise<void>((resolve) => this.#waiters.push({ count, resolve }));
    return this.items.slice(0, count);
  }

  /** The item at `index`, once it is there. */
  async at(index: number): Promise<T> {
    const item = (await this.first(index + 1)).at(index);
    if (item === undefined) throw new Error(`nothing at ${index}`);
    return item;
  }
}

/** Resolves when `holds` does; looks again every few ms, for what gives no event of its own. */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>, timeout_ms = 8_000): Promise<void> {
  const end = performance.now() + timeout_ms;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${timeout_ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export interface Gate {
  readonly open: () => void;
  readonly opened: Promise<void>;
}

/** Something to hold a handler at. */
export function gate(): Gate {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}
