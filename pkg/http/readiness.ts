/** Resolves when a server serves, rejects with why it does not. */
export type Check = () => Promise<unknown>;

export interface ReadinessOptions {
  readonly checks: Readonly<Record<string, Check>>;
  /** Names of checks that do not decide: such a server is told as missing, and the process is ready without it. */
  readonly optional?: readonly string[];
  /** Told of each result that is not from memory. */
  readonly onCheck?: (server: string, up: boolean) => void;
  /** How long one check may take; default 1,000 ms. */
  readonly timeout_ms?: number;
  /** How long results are kept, so that probes cannot hammer the servers; default 1,000 ms. */
  readonly cache_ms?: number;
  /** ms that never go back; default the process's own. */
  readonly now?: () => number;
}

export interface ReadinessState {
  readonly ready: boolean;
  /** `rabbitmq: connect ECONNREFUSED 127.0.0.1:5672`, one line per missing server. */
  readonly missing: readonly string[];
}

/**
 * Which servers are missing. The checks run together and at most once in `cache_ms`; who asks while they run gets
 * what they find.
 */
export class Readiness {
  readonly #options: ReadinessOptions;
  readonly #now: () => number;
  #asked_at = Number.NEGATIVE_INFINITY;
  #answer: Promise<ReadinessState> = Promise.resolve({ ready: false, missing: [] });

  constructor(options: ReadinessOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  state(): Promise<ReadinessState> {
    if (this.#now() - this.#asked_at >= (this.#options.cache_ms ?? 1_000)) {
      this.#asked_at = this.#now();
      this.#answer = this.#check();
    }
    return this.#answer;
  }

  async #check(): Promise<ReadinessState> {
    const { checks, optional = [] } = this.#options;
    const found = Object.entries(checks).map(async ([server, check]) => ({ server, problem: await this.#one(server, check) }));
    const missing = (await Promise.all(found)).filter(({ problem }) => problem !== undefined);
    return {
      ready: missing.every(({ server }) => optional.includes(server)),
      missing: missing.map(({ server, problem }) => `${server}: ${problem}`),
    };
  }

  async #one(server: string, check: Check): Promise<string | undefined> {
    const timeout_ms = this.#options.timeout_ms ?? 1_000;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${timeout_ms} ms`)), timeout_ms);
    });
    try {
      await Promise.race([check(), late]);
      this.#options.onCheck?.(server, true);
      return undefined;
    } catch (error) {
      this.#options.onCheck?.(server, false);
      return reasonOf(error);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** A refused connection to a name with several addresses has its reasons inside and no message of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join('; ');
  return error instanceof Error ? error.message || error.name : String(error);
}
