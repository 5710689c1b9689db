import type { Method, RpcAnswer, RpcClient, RpcOptions } from '../../../cmd/control/client.ts';
import type { Connection, Context, DeadLetterDesk } from '../../../cmd/control/context.ts';
import type { ConnectionOptions } from '../../../cmd/control/options.ts';
import type { World } from '../../../cmd/control/persist.ts';
import { runControl } from '../../../cmd/control/program.ts';
import type { Terminal } from '../../../cmd/control/terminal.ts';
import { FINISH } from '../../../pkg/model/activeflow.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../pkg/model/json.ts';
import type { Bus } from '../../../pkg/service/ports.ts';

export interface Sent {
  readonly method: Method;
  readonly uri: string;
  readonly data: Json | undefined;
  readonly request_id: string | undefined;
}

export type Answerer = (sent: Sent) => RpcAnswer | Promise<RpcAnswer>;

export const good = (data: Json): RpcAnswer => ({ status_code: 200, data });

/** Remembers what it was asked; answers as told. */
export class FakeClient implements RpcClient {
  readonly sent: Sent[] = [];
  readonly #answer: Answerer;

  constructor(answer: Answerer) {
    this.#answer = answer;
  }

  async rpc(method: Method, uri: string, data?: Json, options: RpcOptions = {}): Promise<RpcAnswer> {
    const sent = { method, uri, data, request_id: options.request_id };
    this.sent.push(sent);
    return this.#answer(sent);
  }

  /** `POST /v1/flows`, … in order. */
  get requests(): string[] {
    return this.sent.map(({ method, uri }) => `${method} ${uri}`);
  }
}

/** A daemon with one flow: hands its actions over one by one, by the id of the one before. */
export function fakeDaemon(actions: readonly JsonObject[]): Answerer {
  return ({ method, uri, data }) => {
    if (method === 'POST' && uri === '/v1/flows') return good({ id: 'flow-1', ...(isJsonObject(data) ? data : {}) });
    if (!uri.endsWith('/next')) return good(method === 'GET' ? { status: 'ended' } : null);
    const current = isJsonObject(data) ? data.current_action_id : undefined;
    const at = actions.findIndex((action) => action.id === current);
    return good(actions[at + 1] ?? { id: FINISH.id, type: '' });
  };
}

export class FakeTerminal implements Terminal {
  readonly lines: string[] = [];
  readonly errors: string[] = [];
  readonly columns: number | undefined;
  readonly colour = false;

  constructor(columns?: number) {
    this.columns = columns;
  }

  readonly out = (line: string): void => void this.lines.push(line);
  readonly err = (line: string): void => void this.errors.push(line);
}

/** Time passes only in sleep, and at once. */
export class FakeWorld implements World {
  time = 0;
  readonly slept: number[] = [];
  #ids = 0;

  now(): number {
    return this.time;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return;
    this.slept.push(ms);
    this.time += ms;
  }

  newId(): string {
    this.#ids += 1;
    return `id-${this.#ids}`;
  }
}

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly sent: readonly Sent[];
  readonly connected: readonly ConnectionOptions[];
  readonly closed: number;
}

/** Runs a command line against a fake daemon. `files`: path → content; `-` is stdin. */
export async function control(
  argv: readonly string[],
  answer: Answerer,
  { files = {}, bus, desk }: { files?: Record<string, string>; bus?: Bus; desk?: DeadLetterDesk } = {},
): Promise<Ran> {
  const terminal = new FakeTerminal();
  const client = new FakeClient(answer);
  const connected: ConnectionOptions[] = [];
  let closed = 0;
  const context: Context = {
    terminal,
    read: async (path) => {
      const content = files[path];
      if (content === undefined) throw new Error(`no such file: ${path}`);
      return content;
    },
    connect: async (options): Promise<Connection> => {
      connected.push(options);
      return {
        client,
        ...(bus === undefined ? {} : { bus }),
        close: async () => {
          closed += 1;
        },
      };
    },
    deadLetters: async (options) => {
      if (!desk) throw new Error('no dead letters here');
      connected.push(options);
      return desk;
    },
    migrate: async (target) => ('embedded' in target ? [`0001 in ${target.embedded}`] : [`0001 in ${target.dbDSN}`]),
    interruption: () => new AbortController().signal,
  };
  const code = await runControl(argv, context);
  return { code, out: terminal.lines.join('\n'), err: terminal.errors.join('\n'), sent: client.sent, connected, closed };
}
