/** What the bench asks of its worker processes: a command by name, its input and its output, all plain JSON. */
export type CommandTable<Commands> = { readonly [Name in keyof Commands]: { readonly in: unknown; readonly out: unknown } };

export interface Question {
  readonly id: number;
  readonly name: string;
  readonly input: unknown;
}

export type Reply = { readonly id: number; readonly output: unknown } | { readonly id: number; readonly error: string };

/** An activeflow that somebody walks: its id, and the action that its caller has just finished. */
export interface Walk {
  readonly id: string;
  current: string;
  /** Actions handed over so far: a walk is put aside before it would finish. */
  steps: number;
}

/** Activeflows of one kind of flow, ready to be walked. */
export interface PoolForm {
  readonly name: string;
  /** The request queue of the daemon that knows them. */
  readonly queue: string;
  readonly customers: number;
  readonly actions: readonly object[];
  /** `next` requests until the last call action is handed over. */
  readonly steps: number;
}

/**
 * echo: a request that is answered as it is. create: POST /v1/activeflows. walk: `next`, each caller on an activeflow
 * of its own, with another one when it is through. spread: `next`, each time on the one that has waited longest.
 */
export type Workload =
  | { readonly kind: 'echo'; readonly queue: string }
  | { readonly kind: 'create' | 'walk' | 'spread'; readonly pool: string };

/** What one run of callers saw; times in ms. */
export interface Run {
  readonly calls: number;
  readonly seconds: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly errors: number;
  /** Activeflows that had to be made meanwhile, as the pool was empty. */
  readonly created: number;
  /** What the first error said; empty: none. */
  readonly error: string;
}

export interface CallerCommands {
  connect: { in: { url: string }; out: null };
  /** Makes the flows of a pool, one a customer. */
  pool: { in: PoolForm; out: { customer_id: string; flow_id: string }[] };
  /** Creates activeflows until those that wait in the pool have at least so many steps left. */
  fill: { in: { pool: string; steps: number }; out: null };
  /** Walks the first of a pool one step, the second two, and so on up to `most`, and so on again. */
  stagger: { in: { pool: string; most: number }; out: null };
  /** Takes all walks out of a pool. */
  empty: { in: { pool: string }; out: Walk[] };
  adopt: { in: { pool: string; walks: Walk[] }; out: null };
  run: { in: { workload: Workload; callers: number; seconds: number }; out: Run };
  /** Sends one request that waits in the queue until somebody serves it; when it was answered, in ms since the epoch. */
  first: { in: { queue: string }; out: { at: number } };
}

export interface EchoCommands {
  serve: { in: { url: string; queue: string }; out: { broker: string } };
}

export interface FloorCommands {
  serve: { in: { url: string; dsn: string; queue: string; silent: string; exchange: string; webhooks: string }; out: null };
  /** Once it is served: another queue, whose every request is for another row of a table of its own. */
  spread: { in: { queue: string; rows: number }; out: null };
}

export interface SinkCommands {
  consume: { in: { url: string; queue: string; exchange: string; acks: boolean }; out: null };
  /** Messages so far. */
  count: { in: null; out: { webhooks: number; events: number } };
}

export interface ReceiverCommands {
  readonly serve: { readonly in: object; readonly out: { readonly url: string } };
  /** Resolves when so many have come in from now on: from the first of them to the last. */
  readonly expect: { readonly in: { readonly requests: number }; readonly out: { readonly seconds: number } };
  /** How many have come in since then. */
  readonly count: { readonly in: object; readonly out: { readonly requests: number } };
}

/** Of what the endpoints were sent from `begin` on; times in ms, from the commit that caused it. */
export interface Arrived {
  readonly per_second: number;
  readonly p50: number;
  readonly p99: number;
  /** Requests that the dead endpoint has and does not answer. */
  readonly held: number;
}

export interface EndpointCommands {
  readonly serve: { readonly in: object; readonly out: { readonly live: string; readonly dead: string } };
  readonly begin: { readonly in: object; readonly out: null };
  /** Resolves when so many have come in. */
  readonly arrived: { readonly in: { readonly requests: number }; readonly out: Arrived };
  /** Resolves when the dead endpoint has one. */
  readonly held: { readonly in: object; readonly out: null };
  /** The dead endpoint breaks off all that it has. */
  readonly hangUp: { readonly in: object; readonly out: null };
}

export interface PostCommands {
  readonly post: {
    readonly in: { readonly url: string; readonly requests: number; readonly connections: number; readonly body: string };
    readonly out: null;
  };
}
