/** Work that goes on beside what a test does, until it is told to stop. */
export class Load {
  /** Rounds that came to their end. */
  rounds = 0;
  #stopping = false;
  readonly #workers: Promise<void>[];
  #failure: unknown;

  private constructor(workers: number, work: () => Promise<unknown>) {
    this.#workers = Array.from({ length: workers }, () => this.#run(work));
  }

  /** So many at a time, each doing it again and again. What fails ends that worker; `stop` tells. */
  static start(workers: number, work: () => Promise<unknown>): Load {
    return new Load(workers, work);
  }

  /** Waits for what is under way, and throws what the first failure was. */
  async stop(): Promise<number> {
    this.#stopping = true;
    await Promise.all(this.#workers);
    if (this.#failure !== undefined) throw this.#failure;
    return this.rounds;
  }

  async #run(work: () => Promise<unknown>): Promise<void> {
    try {
      while (!this.#stopping && this.#failure === undefined) {
        await work();
        this.rounds += 1;
      }
    } catch (error) {
      this.#failure ??= error;
    }
  }
}

/** Does something with each item, so many at a time, in their order. */
export async function eachOf<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item, index);
  };
  await Promise.all(Array.from({ length: width }, worker));
  return results;
}
