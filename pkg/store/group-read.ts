interface Waiting<Row> {
  readonly resolve: (row: Row | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** Statements under way at the same time, and ids in one. */
const AT_ONCE = 2;
const IDS = 100;

/**
 * Reads of single rows: those that are asked for while others are under way share the next statement. Nothing waits for
 * a statement to fill: a read that finds room goes out by itself. No row is older than the question for it.
 */
export class GroupRead<Row extends { readonly id: string }> {
  readonly #read: (ids: readonly string[]) => Promise<readonly Row[]>;
  #waiting = new Map<string, Waiting<Row>[]>();
  #underWay = 0;
  #planned = false;

  /** `read`: the rows of these ids that are there. */
  constructor(read: (ids: readonly string[]) => Promise<readonly Row[]>) {
    this.#read = read;
  }

  /** Undefined: it is not there. Rejects as the statement does that it shares. */
  get(id: string): Promise<Row | undefined> {
    return new Promise((resolve, reject) => {
      const others = this.#waiting.get(id);
      if (others) others.push({ resolve, reject });
      else this.#waiting.set(id, [{ resolve, reject }]);
      this.#plan();
    });
  }

  /** When those who ask in one turn have all asked. */
  #plan(): void {
    if (this.#planned || this.#underWay >= AT_ONCE) return;
    this.#planned = true;
    queueMicrotask(() => {
      this.#planned = false;
      while (this.#waiting.size > 0 && this.#underWay < AT_ONCE) void this.#ask(this.#take());
    });
  }

  #take(): Map<string, Waiting<Row>[]> {
    const taken = new Map([...this.#waiting].slice(0, IDS));
    for (const id of taken.keys()) this.#waiting.delete(id);
    return taken;
  }

  async #ask(taken: ReadonlyMap<string, readonly Waiting<Row>[]>): Promise<void> {
    this.#underWay += 1;
    try {
      const rows = new Map((await this.#read([...taken.keys()])).map((row) => [row.id, row]));
      for (const [id, waiting] of taken) for (const { resolve } of waiting) resolve(rows.get(id));
    } catch (error) {
      for (const waiting of taken.values()) for (const { reject } of waiting) reject(error);
    } finally {
      this.#underWay -= 1;
      if (this.#waiting.size > 0) this.#plan();
    }
  }
}
