import type { Command } from 'commander';
import { isJsonObject, type Json } from '../../pkg/model/json.ts';
import type { Difference } from '../../pkg/service/history/compare.ts';
import { type HistoryFile, parseHistory } from '../../pkg/service/history/file.ts';
import { type Replayed, replay } from '../../pkg/service/history/replay.ts';
import { type Context, Exit, inSession, type Session, segment } from './context.ts';
import { readJson, UsageError } from './input.ts';
import { globalOptions } from './options.ts';
import { printError, printJson } from './print.ts';
import { printable } from './table.ts';
import { paint, type Terminal } from './terminal.ts';

const DIFFERENT = 1;
const UNREADABLE = 2;

/** What became of one history. */
interface Outcome {
  readonly name: string;
  readonly file: HistoryFile;
  readonly replayed: Replayed;
}

export function addHistoryCommands(program: Command, context: Context): void {
  const history = program.command('history').description('what was needed to decide an activeflow, where it is kept (--history)');
  history
    .command('export <id>')
    .description('the history of an activeflow as JSON, for replay; it holds what other services answered')
    .action((id: string, _options, command: Command) =>
      inSession(context, command, async (session) => printJson(session, await fetchHistory(session, id))),
    );
  program
    .command('replay [files...]')
    .description('decides kept histories again by this build, asking nobody; 1: decided otherwise, 2: cannot be read')
    .option('--id <id>', 'the history of an activeflow that a daemon has, instead of files')
    .action((files: string[], options: { id?: string }, command: Command) => runReplay(context, files, options.id, command));
}

async function runReplay(context: Context, files: readonly string[], id: string | undefined, command: Command): Promise<void> {
  if ((files.length === 0) === (id === undefined)) throw new UsageError('replay: expected files, or --id');
  const { terminal } = context;
  const { json } = globalOptions(command);
  const outcomes: Outcome[] = [];
  let unreadable = false;
  const attempt = async (name: string, read: () => Promise<Json>): Promise<void> => {
    try {
      const file = parseHistory(await read());
      const outcome = { name, file, replayed: replay(file) };
      outcomes.push(outcome);
      if (!json) printOutcome(terminal, outcome);
    } catch (error) {
      unreadable = true;
      terminal.err(`${name}: cannot be read`);
      printError(terminal, error);
    }
  };
  for (const name of files) await attempt(name, () => readJson(context.read, name));
  if (id !== undefined) {
    await attempt(id, async () => {
      let found: Json = null;
      await inSession(context, command, async (session) => {
        found = await fetchHistory(session, id);
      });
      return found;
    });
  }
  if (json) printJson({ terminal, json }, outcomes.map(viewOutcome));
  if (unreadable) throw new Exit(UNREADABLE);
  if (outcomes.some(({ replayed }) => replayed.difference)) throw new Exit(DIFFERENT);
}

function fetchHistory(session: Session, id: string): Promise<Json> {
  return session.ask('GET', `/v1/activeflows/${segment(id)}/history`);
}

function viewOutcome({ name, file, replayed }: Outcome): Json {
  const { decisions, difference } = replayed;
  const found = difference && { ...difference, was: difference.was ?? null, now: difference.now ?? null };
  return { name, activeflow_id: file.activeflow_id, complete: file.complete, decisions, difference: found ?? null };
}

function printOutcome(terminal: Terminal, { name, file, replayed: { decisions, difference } }: Outcome): void {
  const end = file.complete ? '' : ', where the history breaks off: it was too long';
  if (!difference) {
    terminal.out(`${paint(terminal, 'green', 'equal')}  ${printable(name)}: ${decisions} decisions${end}`);
    return;
  }
  terminal.out(`${paint(terminal, 'red', 'decided otherwise')}  ${printable(name)}, after ${decisions} equal decisions`);
  for (const line of describe(file, difference)) terminal.out(`  ${printable(line)}`);
}

function describe(file: HistoryFile, { revision, step, action, what, was, now }: Difference): string[] {
  const type = action.type === '' ? '' : `${action.type} `;
  return [
    `activeflow ${file.activeflow_id}, revision ${revision}, step ${step}, action ${type}${action.id}: ${what}`,
    `then ${show(was, now)}`,
    `now ${show(now, was)}`,
  ];
}

/** Of an object, the members that the other one does not have alike. */
function show(value: Json | undefined, other: Json | undefined): string {
  if (value === undefined) return 'nothing';
  if (!isJsonObject(value) || !isJsonObject(other)) return JSON.stringify(value);
  const unlike = Object.entries(value).filter(([name, member]) => JSON.stringify(member) !== JSON.stringify(other[name]));
  return JSON.stringify(Object.fromEntries(unlike));
}
