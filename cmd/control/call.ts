import { randomUUID } from 'node:crypto';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { isJsonObject } from '../../pkg/model/json.ts';
import { callPrinter, printReport } from './call-print.ts';
import { serveCall } from './callservice.ts';
import { type Context, Exit, inSession, type Session } from './context.ts';
import { hangUpByEvent, hangUpByRequest } from './hangup.ts';
import { collectPair, parsePositive, readFlow, UsageError } from './input.ts';
import { sleep, type World } from './persist.ts';
import { printJson } from './print.ts';
import { type CallPlan, type CallReport, CallSimulator } from './simulator.ts';
import { paint } from './terminal.ts';

interface CallCommandOptions {
  readonly flow?: string;
  readonly file?: string;
  readonly customer?: string;
  readonly digits: string;
  readonly hangupAfter?: NonNullable<CallPlan['hangup_after']>;
  readonly speed: number;
  readonly from: string;
  readonly to: string;
  readonly var?: Record<string, string>;
  readonly serve: boolean;
}

/** A flow takes seconds instead of minutes, and its waits can still be seen. */
const DEFAULT_SPEED = 50;

const REAL_WORLD: World = { now: () => performance.now(), sleep, newId: randomUUID };

export function addCallCommand(program: Command, context: Context): void {
  program
    .command('call')
    .description('plays a call on a flow, as the call service does: asks for each action, runs it, hangs up')
    .addOption(new Option('--flow <id>', 'the flow').conflicts('file'))
    .option('--file <file>', 'a flow made for this call from a JSON file, or - for stdin')
    .option('--customer <id>', "default: the flow's; with a file that names none: a new one")
    .option('--digits <list>', 'what the caller presses, one part for each time that digits are asked for: 1,2#', '')
    .addOption(
      new Option('--hangup-after <n>', 'the caller hangs up after n actions, or after a time: 3, 500ms, 2s').argParser(
        parseHangupAfter,
      ),
    )
    .addOption(
      new Option('--speed <factor>', 'times as fast as a telephone; max: no waiting')
        .default(DEFAULT_SPEED)
        .argParser(parseSpeed),
    )
    .option('--from <number>', "the caller's number", '+12025550123')
    .option('--to <number>', 'the number called', '+12025550100')
    .option('--var <name=value>', 'a variable that the call starts with; may be repeated', collectPair)
    .option('--no-serve', 'does not answer for call-manager, even when nobody does')
    .action((options: CallCommandOptions, command: Command) =>
      inSession(context, command, async (session) => {
        const report = await playCall(session, options, context.interruption(), REAL_WORLD);
        if (report.error !== undefined) throw new Exit(1);
        // What a shell reports of a program that Ctrl-C has ended.
        if (report.end === 'interrupted') throw new Exit(130);
      }),
    );
}

export async function playCall(
  session: Session,
  options: CallCommandOptions,
  interruption: AbortSignal,
  world: World,
): Promise<CallReport> {
  // With --json stdout is the report alone.
  const terminal = session.json ? { ...session.terminal, out: session.terminal.err } : session.terminal;
  const flow = await flowOf(session, options);
  const plan: CallPlan = {
    ...flow,
    digits: options.digits === '' ? [] : options.digits.split(','),
    ...(options.hangupAfter === undefined ? {} : { hangup_after: options.hangupAfter }),
    speed: options.speed,
    variables: options.var ?? {},
    from: options.from,
    to: options.to,
  };
  const printer = callPrinter(terminal);
  const { client, bus } = session;
  const hands = { client, world, onRepeat: printer.repeated };
  const hangUp = bus === undefined ? hangUpByRequest(hands) : hangUpByEvent(bus, hands);
  const call = new CallSimulator(client, plan, world, printer, hangUp);
  interruption.addEventListener('abort', () => call.end('interrupted'), { once: true });
  if (interruption.aborted) call.end('interrupted');
  const serving = bus === undefined || !options.serve ? undefined : await serveCall(bus, call, printer.asked);
  if (serving !== undefined)
    terminal.out(paint(terminal, 'dim', 'nobody serves call-manager: answering for it while the call lasts'));
  try {
    const report = await call.run();
    printReport(terminal, report);
    if (session.json) printJson(session, jsonReport(report));
    return report;
  } finally {
    await serving?.close();
  }
}

/** The flow to call, made first when a file is given. A flow made for one call is temporary unless its file says otherwise. */
async function flowOf(session: Session, options: CallCommandOptions): Promise<Pick<CallPlan, 'flow_id' | 'customer_id'>> {
  const { flow, file, customer } = options;
  if (flow !== undefined) return { flow_id: flow, ...(customer === undefined ? {} : { customer_id: customer }) };
  if (file === undefined) throw new UsageError('call: give --flow ID or --file FILE');
  const content = await readFlow(session.read, file);
  const customer_id = customer ?? (typeof content.customer_id === 'string' ? content.customer_id : randomUUID());
  const made = await session.ask('POST', '/v1/flows', { persist: false, ...content, customer_id });
  if (!isJsonObject(made) || typeof made.id !== 'string') throw new Error('the daemon made a flow without an id');
  return { flow_id: made.id, customer_id };
}

function jsonReport({ error, ...report }: CallReport) {
  return { ...report, latencies: [...report.latencies], error: error instanceof Error ? error.message : null };
}

export function parseHangupAfter(text: string): NonNullable<CallPlan['hangup_after']> {
  const match = /^(\d+(?:\.\d+)?)(ms|s)?$/.exec(text);
  const value = Number(match?.[1]);
  if (match === null || value <= 0) throw new InvalidArgumentError('expected a number of actions, or a time such as 2s');
  if (match[2] === 's') return { ms: value * 1000 };
  if (match[2] === 'ms') return { ms: value };
  if (!Number.isInteger(value)) throw new InvalidArgumentError('expected a whole number of actions');
  return { actions: value };
}

export function parseSpeed(text: string): number {
  return text === 'max' ? Number.POSITIVE_INFINITY : parsePositive(text);
}
