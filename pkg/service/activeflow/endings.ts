/**
 * Who waits for something that the end of an activeflow makes needless: a sibling's answer, the time of the next try.
 * An end that this process commits is told at once; those of other processes are looked up, some times a second.
 */
export class Endings {
  readonly #waiting = new Map<string, Set<() => void>>();

  /** The activeflows that somebody here waits for. */
  get ids(): readonly string[] {
    return [...this.#waiting.keys()];
  }

  /** What the work comes to; undefined when the activeflow ends first. */
  async unlessEnded<T>(id: string, work: Promise<T>): Promise<T | undefined> {
    const { ended, forget } = this.#wait(id);
    try {
      return await Promise.race([work, ended]);
    } finally {
      forget();
    }
  }

  /** Resolves after that time, or when the activeflow has ended. */
  async pause(id: string, ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    try {
      await this.unlessEnded(id, new Promise<void>((resolve) => (timer = setTimeout(resolve, ms))));
    } finally {
      clearTimeout(timer);
    }
  }

  ended(id: string): void {
    for (const tell of this.#waiting.get(id) ?? []) tell();
  }

  #wait(id: string): { ended: Promise<undefined>; forget: () => void } {
    const tells = this.#waiting.get(id) ?? new Set();
    this.#waiting.set(id, tells);
    let tell = (): void => undefined;
    const ended = new Promise<undefined>((resolve) => {
      tell = () => resolve(undefined);
    });
    tells.add(tell);
    const forget = (): void => {
      tells.delete(tell);
      if (tells.size === 0 && this.#waiting.get(id) === tells) this.#waiting.delete(id);
    };
    return { ended, forget };
  }
}
