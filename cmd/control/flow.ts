import { type Command, Option } from 'commander';
import { FLOW_TYPES } from '../../pkg/model/flow.ts';
import { isJsonObject, type Json, type JsonObject } from '../../pkg/model/json.ts';
import { type Context, inSession, type Session, segment } from './context.ts';
import { given, parseBoolean, parseCount, readActions, readFlow } from './input.ts';
import { listAll, PAGE_OPTIONS, type PageOptions } from './page.ts';
import { ACTION_COLUMNS, column, printList, printResource, WARNING_COLUMNS } from './print.ts';

interface FlowFields {
  readonly customer?: string;
  readonly type?: string;
  readonly name?: string;
  readonly detail?: string;
  readonly on_complete_flow_id?: string;
  readonly webhook_uri?: string;
  readonly temporary?: boolean;
}

const FLOW_LISTS = { actions: ACTION_COLUMNS, warnings: WARNING_COLUMNS };
const uri = (id: string, rest = ''): string => `/v1/flows/${segment(id)}${rest}`;

export function addFlowCommands(program: Command, context: Context): void {
  const flow = program.command('flow').description('flows: what is to be done');
  addChanges(flow, context);
  addVersions(flow, context);

  flow
    .command('get <id>')
    .description('one flow with its actions')
    .action((id: string, _options, command: Command) =>
      inSession(context, command, async (session) => printFlow(session, await session.ask('GET', uri(id)))),
    );
  const list = flow.command('list').description('flows, newest first').option('--customer <id>');
  list.addOption(new Option('--type <type>').choices(FLOW_TYPES)).option('--deleted <true|false>', 'deleted ones', parseBoolean);
  for (const option of PAGE_OPTIONS()) list.addOption(option);
  list.action((options: PageOptions & { customer?: string; type?: string; deleted?: boolean }, command: Command) =>
    inSession(context, command, (session) => {
      const filters = given({ customer_id: options.customer, type: options.type, deleted: options.deleted });
      return listAll(session, '/v1/flows', filters, options, [
        column('id'),
        column('type'),
        column('name', { shrink: true }),
        { title: 'actions', align: 'right', value: (row) => (Array.isArray(row.actions) ? String(row.actions.length) : '') },
        column('customer_id'),
        column('tm_create'),
      ]);
    }),
  );
  flow
    .command('count')
    .description('how many flows a customer has')
    .requiredOption('--customer <id>')
    .action(({ customer }: { customer: string }, command: Command) =>
      inSession(context, command, async (session) =>
        printResource(session, await session.ask('GET', '/v1/flows/count_by_customer', { customer_id: customer })),
      ),
    );
}

function addChanges(flow: Command, context: Context): void {
  withFields(flow.command('create <file>').description('a new flow from a JSON file, or - for stdin'))
    .option('--customer <id>')
    .addOption(new Option('--type <type>').choices(FLOW_TYPES))
    .option('--webhook_uri <uri>')
    .option('--temporary', 'gone after a day, never listed')
    .action((file: string, options: FlowFields, command: Command) =>
      inSession(context, command, async (session) => {
        const data = { persist: true, ...(await readFlow(session.read, file)), ...fieldsOf(options) };
        printFlow(session, await session.ask('POST', '/v1/flows', data));
      }),
    );
  withFields(flow.command('update <id> [file]').description('changes a flow; what is not given stays as it is')).action(
    (id: string, file: string | undefined, options: FlowFields, command: Command) =>
      inSession(context, command, async (session) => {
        // PUT replaces all four fields, so what stays has to be read first.
        const old = await session.ask('GET', uri(id));
        const changed = { ...(file === undefined ? {} : await readFlow(session.read, file)), ...fieldsOf(options) };
        const { name, detail, actions, on_complete_flow_id } = { ...(isJsonObject(old) ? old : {}), ...changed } as JsonObject;
        printFlow(session, await session.ask('PUT', uri(id), given({ name, detail, actions, on_complete_flow_id })));
      }),
  );
  flow
    .command('delete <id>')
    .description('deletes a flow; it can still be read')
    .action((id: string, _options, command: Command) =>
      inSession(context, command, async (session) => printFlow(session, await session.ask('DELETE', uri(id)))),
    );
  flow
    .command('regenerate <id>')
    .description("gives a flow's direct a new hash")
    .action((id: string, _options, command: Command) =>
      inSession(context, command, async (session) =>
        printFlow(session, await session.ask('POST', uri(id, '/direct-hash-regenerate'))),
      ),
    );
}

function addVersions(flow: Command, context: Context): void {
  flow
    .command('actions <id> [action-id]')
    .description("a flow's actions, or one of them; --set replaces them")
    .option('--set <file>', 'a JSON file with the new actions, or - for stdin')
    .action((id: string, action: string | undefined, { set }: { set?: string }, command: Command) =>
      inSession(context, command, async (session) => {
        if (set !== undefined) {
          const actions = await readActions(session.read, set);
          return printFlow(session, await session.ask('PUT', uri(id, '/actions'), { actions }));
        }
        if (action !== undefined) return printResource(session, await session.ask('GET', uri(id, `/actions/${segment(action)}`)));
        printList(session, await session.ask('GET', uri(id, '/actions')), ACTION_COLUMNS);
      }),
    );
  flow
    .command('versions <id>')
    .description('every list of actions that a flow ever had')
    .action((id: string, _options, command: Command) =>
      inSession(context, command, async (session) =>
        printList(session, await session.ask('GET', uri(id, '/versions')), [
          column('version', { align: 'right' }),
          column('tm_create'),
          { title: 'actions', align: 'right', value: (row) => (Array.isArray(row.actions) ? String(row.actions.length) : '') },
        ]),
      ),
    );
  flow
    .command('restore')
    .argument('<id>')
    .argument('<version>', 'its number', parseCount)
    .description('makes an older list of actions the one in force')
    .action((id: string, version: number, _options, command: Command) =>
      inSession(context, command, async (session) =>
        printFlow(session, await session.ask('POST', uri(id, `/versions/${version}/restore`))),
      ),
    );
}

function withFields(command: Command): Command {
  return command
    .option('--name <name>')
    .option('--detail <detail>')
    .option('--on_complete_flow_id <id>', 'the flow to run afterwards');
}

function fieldsOf(options: FlowFields): JsonObject {
  const { customer, type, name, detail, on_complete_flow_id, webhook_uri } = options;
  const persist = options.temporary === true ? false : undefined;
  return given({ customer_id: customer, type, name, detail, on_complete_flow_id, webhook_uri, persist });
}

function printFlow(session: Session, flow: Json): void {
  printResource(session, flow, FLOW_LISTS);
}
