import { type Command, Option } from 'commander';
import { REFERENCE_TYPES } from '../../pkg/model/activeflow.ts';
import { isJsonObject, type Json, type JsonObject } from '../../pkg/model/json.ts';
import { type Context, inSession, type Session, segment } from './context.ts';
import { collectPair, given, parseBoolean, readActions } from './input.ts';
import { listAll, PAGE_OPTIONS, type PageOptions } from './page.ts';
import { ACTION_COLUMNS, column, field, printResource } from './print.ts';
import { printTrace } from './trace.ts';

const uri = (id: string, rest = ''): string => `/v1/activeflows/${segment(id)}${rest}`;

interface CreateOptions {
  readonly id?: string;
  readonly flow: string;
  readonly customer?: string;
  readonly reference_type?: string;
  readonly reference_id?: string;
  readonly var?: Record<string, string>;
}

interface ListOptions extends PageOptions {
  readonly customer?: string;
  readonly flow?: string;
  readonly status?: string;
  readonly reference_type?: string;
  readonly reference_id?: string;
  readonly deleted?: boolean;
}

export function addActiveflowCommands(program: Command, context: Context): void {
  const activeflow = program.command('activeflow').description('activeflows: a flow being run for somebody');
  addCreate(activeflow, context);
  addList(activeflow, context);
  addSteps(activeflow, context);
  const simple = (name: string, description: string, request: (session: Session, id: string) => Promise<Json>): void => {
    activeflow
      .command(`${name} <id>`)
      .description(description)
      .action((id: string, _options, command: Command) =>
        inSession(context, command, async (session) => printActiveflow(session, await request(session, id))),
      );
  };
  simple('get', 'one activeflow as it stands', (session, id) => session.ask('GET', uri(id)));
  simple('delete', 'stops and deletes one; it can still be read', (session, id) => session.ask('DELETE', uri(id)));
  simple('stop', 'ends one where it stands', (session, id) => session.ask('POST', uri(id, '/stop')));
  simple('execute', 'starts one that has no caller to ask next', (session, id) => session.ask('POST', uri(id, '/execute')));
  activeflow
    .command('trace <id>')
    .description('what happened in it, step by step, and why')
    .action((id: string, _options, command: Command) => inSession(context, command, (session) => printTrace(session, id)));
}

function addCreate(activeflow: Command, context: Context): void {
  activeflow
    .command('create')
    .description('starts a flow; ask next, or execute, to have it run')
    .requiredOption('--flow <id>')
    .option('--id <id>', 'default: a new one')
    .option('--customer <id>', "default: the flow's")
    .addOption(new Option('--reference_type <type>').choices(REFERENCE_TYPES.filter((type) => type !== '')))
    .option('--reference_id <id>')
    .option('--var <name=value>', 'a variable; may be repeated', collectPair)
    .action((options: CreateOptions, command: Command) =>
      inSession(context, command, async (session) => {
        const { id, flow, customer, reference_type, reference_id, var: variables } = options;
        const data = given({ id, flow_id: flow, customer_id: customer, reference_type, reference_id, variables });
        printActiveflow(session, await session.ask('POST', '/v1/activeflows', data));
      }),
    );
}

function addList(activeflow: Command, context: Context): void {
  const list = activeflow
    .command('list')
    .description('activeflows, newest first')
    .option('--customer <id>')
    .option('--flow <id>')
    .addOption(new Option('--status <status>').choices(['running', 'ended']))
    .option('--reference_type <type>')
    .option('--reference_id <id>')
    .option('--deleted <true|false>', 'deleted ones', parseBoolean);
  for (const option of PAGE_OPTIONS()) list.addOption(option);
  list.action((options: ListOptions, command: Command) =>
    inSession(context, command, (session) => {
      const { customer: customer_id, flow: flow_id, status, reference_type, reference_id, deleted } = options;
      const filters = given({ customer_id, flow_id, status, reference_type, reference_id, deleted });
      return listAll(session, '/v1/activeflows', filters, options, [
        column('id'),
        column('status', { colour: (row) => (row.status === 'running' ? 'green' : 'dim') }),
        {
          title: 'reference',
          value: (row) => `${field(row, 'reference_type')} ${field(row, 'reference_id')}`.trim(),
          shrink: true,
        },
        { title: 'current action', value: (row) => (isJsonObject(row.current_action) ? field(row.current_action, 'type') : '') },
        column('execute_count', { align: 'right' }),
        column('flow_id', { shrink: true }),
        column('tm_create'),
      ]);
    }),
  );
}

function addSteps(activeflow: Command, context: Context): void {
  const step = (
    name: string,
    description: string,
    run: (session: Session, id: string, action: string) => Promise<void>,
  ): void => {
    activeflow
      .command(`${name} <id>`)
      .description(description)
      .option('--action <id>', 'the action that is finished; default: the current one')
      .action((id: string, options: { action?: string }, command: Command) =>
        inSession(context, command, async (session) => run(session, id, options.action ?? (await currentAction(session, id)))),
      );
  };
  step('next', 'asks for the next action, as a call service does', async (session, id, action) => {
    printResource(session, await session.ask('GET', uri(id, '/next'), { current_action_id: action }));
  });
  step('continue', 'goes on from a block', async (session, id, action) => {
    printActiveflow(session, await session.ask('POST', uri(id, '/continue'), { current_action_id: action }));
  });
  const feed = (name: string, description: string): void => {
    activeflow
      .command(`${name} <id> <file>`)
      .description(description)
      .action((id: string, file: string, _options, command: Command) =>
        inSession(context, command, async (session) => {
          const actions = await readActions(session.read, file);
          printActiveflow(session, await session.ask('POST', uri(id, `/${name}_actions`), { actions }));
        }),
      );
  };
  feed('push', 'actions from a file (- for stdin) to be run first, then what was to come');
  feed('add', 'actions from a file (- for stdin) right after the current one, in a pushed stack');
}

async function currentAction(session: Session, id: string): Promise<string> {
  const activeflow = await session.ask('GET', uri(id));
  const current: Json = isJsonObject(activeflow) ? (activeflow.current_action ?? null) : null;
  if (!isJsonObject(current)) throw new Error('the daemon does not say which action is the current one: give --action');
  return String(current.id);
}

function printActiveflow(session: Session, activeflow: Json): void {
  if (session.json || !isJsonObject(activeflow)) {
    // Some requests are answered with nothing but "done".
    if (session.json || activeflow !== null) printResource(session, activeflow);
    else session.terminal.out('done');
    return;
  }
  // What was executed is the trace's to show.
  const { stack_map, executed_actions: _executed, ...rest } = activeflow as JsonObject;
  const stacks = isJsonObject(stack_map) ? { stacks: Object.keys(stack_map).length } : {};
  printResource(session, { ...rest, ...stacks }, { actions: ACTION_COLUMNS });
}
