import { randomUUID } from 'node:crypto';
import { type Command, Option } from 'commander';
import { isJsonObject, type Json, type JsonObject } from '../../pkg/model/json.ts';
import { type Context, Exit, inSession, type Session, segment } from './context.ts';
import { collectPair, given, parseCount, readJson, UsageError } from './input.ts';
import { askUntilAnswered, Interrupted, sleep, type World } from './persist.ts';
import { printResource } from './print.ts';
import { paint } from './terminal.ts';

export interface WorkflowCallOptions {
  readonly customer: string;
  readonly user?: string;
  readonly inputs?: string;
  readonly input?: Readonly<Record<string, string>>;
  readonly client_context?: string;
  readonly response_type?: string;
  readonly response_id?: string;
  readonly wait: boolean;
  readonly wait_ms: number;
}

const LOOK_AGAIN_MS = 200;
const REAL_WORLD: World = { now: () => performance.now(), sleep, newId: randomUUID };

/** Waits for the response unless told not to. Exit code 1: it is none of success, or there is none yet. */
export function addWorkflowCallCommand(workflow: Command, context: Context): void {
  workflow
    .command('call <workflow>')
    .description('calls a workflow, by id or alias, and waits for its response')
    .requiredOption('--customer <id>', 'whose workflow it is')
    .option('--input <name=value>', 'an input, as text; may be repeated', collectPair)
    .option('--inputs <file>', 'a JSON file with all inputs, or - for stdin')
    .option('--client_context <file>', 'a JSON file, or - for stdin')
    .option('--user <id>', 'whose channel gets what is pushed')
    .option('--response_type <type>', 'where the response is sent, too: KVIEW, WORKFLOW, …')
    .option('--response_id <id>', 'of that type: the workflow to call')
    .option('--no-wait', 'does not wait for the response')
    .addOption(new Option('--wait_ms <ms>', 'how long the response is waited for').default(60_000).argParser(parseCount))
    .action((name: string, options: WorkflowCallOptions, command: Command) =>
      inSession(context, command, async (session) => {
        const good = await callWorkflow(session, name, options, context.interruption(), REAL_WORLD);
        if (!good) throw new Exit(1);
      }),
    );
}

export async function callWorkflow(
  session: Session,
  name: string,
  options: WorkflowCallOptions,
  signal: AbortSignal,
  world: World,
): Promise<boolean> {
  const patience = { world, signal, onlyIfReachable: true, onRepeat: () => undefined };
  const data = await readRequest(session, options);
  const request = { method: 'POST', uri: `/v1/workflows/${segment(name)}/call`, data } as const;
  try {
    const made = await askUntilAnswered(session.client, request, patience);
    const ended = options.wait ? await response(session, made, { until: world.now() + options.wait_ms, signal, world }) : made;
    printResource(session, ended);
    const state = isJsonObject(ended) ? ended.state : undefined;
    if (options.wait && isOpen(state)) tell(session, `no response within ${options.wait_ms} ms`, ended);
    return !options.wait || state === 'SUCCESS';
  } catch (error) {
    // What a shell reports of a program that Ctrl-C has ended; the call goes on.
    if (error instanceof Interrupted) throw new Exit(130);
    throw error;
  }
}

async function readRequest(session: Session, options: WorkflowCallOptions): Promise<JsonObject> {
  const { customer, user, input, inputs, client_context, response_type, response_id } = options;
  if (response_id !== undefined && response_type === undefined) throw new UsageError('--response_id: expected --response_type');
  const whole = inputs === undefined ? {} : await readObject(session, inputs);
  return given({
    customer_id: customer,
    user,
    inputs: { ...whole, ...input },
    clientContext: client_context === undefined ? undefined : await readObject(session, client_context),
    asyncResponse: response_type === undefined ? undefined : given({ type: response_type, id: response_id }),
  });
}

async function readObject(session: Session, path: string): Promise<JsonObject> {
  const value = await readJson(session.read, path);
  if (isJsonObject(value)) return value;
  throw new UsageError(`${path}: expected an object`);
}

interface Waiting {
  readonly until: number;
  readonly signal: AbortSignal;
  readonly world: World;
}

/** The call once it is answered, or as it is when the time is over. */
async function response(session: Session, made: Json, { until, signal, world }: Waiting): Promise<Json> {
  const id = isJsonObject(made) ? String(made.id) : '';
  const uri = `/v1/workflow_calls/${segment(id)}`;
  for (;;) {
    const call = await askUntilAnswered(session.client, { method: 'GET', uri }, { world, signal, onRepeat: () => undefined });
    const left = until - world.now();
    if (!isJsonObject(call) || !isOpen(call.state) || left <= 0) return call;
    await world.sleep(Math.min(LOOK_AGAIN_MS, left), signal);
    if (signal.aborted) {
      tell(session, 'interrupted', call);
      throw new Interrupted();
    }
  }
}

function isOpen(state: Json | undefined): boolean {
  return state === 'PENDING' || state === 'RUNNING';
}

function tell({ terminal }: Session, what: string, call: Json): void {
  const id = isJsonObject(call) ? String(call.id) : '';
  terminal.err(paint(terminal, 'dim', `${what}; the call goes on: flow-control workflow show ${id}`));
}
