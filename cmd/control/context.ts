import type { Command } from 'commander';
import type { DeadLetter, Retried } from '../../pkg/bus/index.ts';
import type { Json } from '../../pkg/model/json.ts';
import type { Bus } from '../../pkg/service/ports.ts';
import { ask, type Method, type RpcClient } from './client.ts';
import type { ReadText } from './input.ts';
import { type ConnectionOptions, globalOptions } from './options.ts';
import type { Terminal } from './terminal.ts';

export interface Connection {
  readonly client: RpcClient;
  /** Absent over HTTP. */
  readonly bus?: Bus;
  close(): Promise<void>;
}

/** The world of a command: everything it reads and writes. Tests give their own. */
export interface Context {
  readonly terminal: Terminal;
  readonly read: ReadText;
  connect(options: ConnectionOptions): Promise<Connection>;
  /** Looks through what was set aside, straight at the broker: no daemon needs to run. */
  deadLetters(options: ConnectionOptions): Promise<DeadLetterDesk>;
  /** Brings a database's schema up to date; names of what was run. */
  migrate(target: MigrationTarget): Promise<string[]>;
  /** From now on Ctrl-C aborts this signal instead of ending the process; a second one ends it. */
  interruption(): AbortSignal;
}

/** What looks through the dead letters of a broker; pkg/bus implements it. */
export interface DeadLetterDesk {
  each(queue: string, look: (letter: DeadLetter) => boolean): Promise<void>;
  retry(queue: string, wanted: (letter: DeadLetter) => boolean): Promise<Retried>;
  close(): Promise<void>;
}

export type MigrationTarget = { readonly dbDSN: string } | { readonly embedded: string };

/** One command's run against a daemon. */
export interface Session {
  readonly client: RpcClient;
  readonly bus: Bus | undefined;
  readonly terminal: Terminal;
  readonly json: boolean;
  readonly read: ReadText;
  /** A request whose answer must be good: see `ask`. */
  readonly ask: (method: Method, uri: string, data?: Json) => Promise<Json>;
}

/** Ends the process with this code; what there was to say is said already. */
export class Exit extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`exit code ${code}`);
    this.name = 'Exit';
    this.code = code;
  }
}

/** Connects, runs and disconnects, however it ends. */
export async function inSession(context: Context, command: Command, run: (session: Session) => Promise<void>): Promise<void> {
  const options = globalOptions(command);
  const connection = await context.connect(options);
  const { client, bus } = connection;
  try {
    await run({
      client,
      bus,
      terminal: context.terminal,
      json: options.json,
      read: context.read,
      ask: (method, uri, data) => ask(client, method, uri, data),
    });
  } finally {
    await connection.close();
  }
}

/** A path segment or a query value from what a person typed. */
export function segment(text: string): string {
  return encodeURIComponent(text);
}
