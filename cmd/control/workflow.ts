import { type Command, Option } from 'commander';
import { isJsonObject, type Json, type JsonObject } from '../../pkg/model/json.ts';
import { type Context, inSession, segment } from './context.ts';
import { given, parseBoolean, parseCount, readJson, UsageError } from './input.ts';
import { listAll, PAGE_OPTIONS, type PageOptions } from './page.ts';
import { column, printResource } from './print.ts';
import { addWorkflowCallCommand } from './workflow-call.ts';

interface Settings {
  readonly enabled?: boolean;
  readonly alias?: string;
  readonly input_schema?: string;
  readonly allowed_users?: string;
  readonly allowed_teams?: string;
  readonly response_types?: string;
  readonly timeout_ms?: number;
  readonly managed?: boolean;
}

interface CallsOptions extends PageOptions {
  readonly customer: string;
  readonly flow?: string;
}

const WORKFLOWS = [
  column('id'),
  column('alias', { shrink: true }),
  column('enabled'),
  column('managed'),
  column('timeout', { align: 'right' }),
  column('tm_create'),
];
const CALLS = [
  column('id'),
  column('workflow', { shrink: true }),
  column('state'),
  column('status'),
  column('code', { shrink: true }),
  column('tm_create'),
  column('tm_end'),
];
const UNDELIVERABLE = [
  column('id'),
  column('workflow', { shrink: true }),
  column('state'),
  column('code', { shrink: true }),
  column('delivery', { shrink: true }),
  column('tm_end'),
];

const callableUri = (id: string): string => `/v1/flows/${segment(id)}/callable`;
const callUri = (id: string): string => `/v1/workflow_calls/${segment(id)}`;

export function addWorkflowCommands(program: Command, context: Context): void {
  const workflow = program.command('workflow').description('flows that others call, their calls and responses');
  addSettings(workflow, context);
  addWorkflowCallCommand(workflow, context);
  addCalls(workflow, context);
}

function addSettings(workflow: Command, context: Context): void {
  const list = workflow.command('list').description("a customer's workflows, newest first").requiredOption('--customer <id>');
  for (const option of PAGE_OPTIONS()) list.addOption(option);
  list.action((options: PageOptions & { customer: string }, command: Command) =>
    inSession(context, command, (session) =>
      listAll(session, '/v1/workflows', { customer_id: options.customer }, options, WORKFLOWS),
    ),
  );
  workflow
    .command('get <flow-id>')
    .description('how a flow can be called')
    .action((id: string, _options, command: Command) =>
      inSession(context, command, async (session) => printResource(session, await session.ask('GET', callableUri(id)))),
    );
  workflow
    .command('set <flow-id>')
    .description('makes a flow callable, or changes how; what is not given stays as it is')
    .addOption(new Option('--enabled <true|false>', 'can be called').argParser(parseBoolean))
    .option('--alias <name>', "another name, unique within the customer; '' for none")
    .option('--input_schema <file>', 'a JSON Schema of the inputs, - for stdin; a file with null for none')
    .option('--allowed_users <list>', "comma list of who may call it; '' for everybody")
    .option('--allowed_teams <list>', 'comma list')
    .option('--response_types <list>', "comma list of the types of asyncResponse; '' for the daemon's own")
    .addOption(new Option('--timeout_ms <ms>', 'how long a call may take; 0: as long as its flow').argParser(parseTimeout))
    .addOption(new Option('--managed <true|false>', 'installed by an app').argParser(parseBoolean))
    .action((id: string, options: Settings, command: Command) =>
      inSession(context, command, async (session) => {
        const { input_schema, allowed_users, allowed_teams, response_types, timeout_ms, ...rest } = options;
        const data = given({
          ...rest,
          input_schema: input_schema === undefined ? undefined : await readSchema(session.read, input_schema),
          allowed_users: texts(allowed_users),
          allowed_teams: texts(allowed_teams),
          response_types: texts(response_types),
          timeout: timeout_ms,
        });
        printResource(session, await session.ask('PUT', callableUri(id), data));
      }),
    );
}

function addCalls(workflow: Command, context: Context): void {
  const list = (name: string, description: string, columns: typeof CALLS, filters: JsonObject) => {
    const command = workflow.command(name).description(description).requiredOption('--customer <id>');
    command.option('--flow <id>', 'of this workflow only');
    for (const option of PAGE_OPTIONS()) command.addOption(option);
    command.action((options: CallsOptions, own: Command) =>
      inSession(context, own, (session) => {
        const asked = given({ customer_id: options.customer, flow_id: options.flow, ...filters });
        return listAll(session, '/v1/workflow_calls', asked, options, columns);
      }),
    );
  };
  list('calls', 'calls, newest first', CALLS, {});
  list('undeliverable', 'calls whose response could not be delivered, and why', UNDELIVERABLE, { undeliverable: true });
  const one = (name: string, description: string, method: 'GET' | 'DELETE'): void => {
    workflow
      .command(`${name} <call-id>`)
      .description(description)
      .action((id: string, _options, command: Command) =>
        inSession(context, command, async (session) => printResource(session, await session.ask(method, callUri(id)))),
      );
  };
  one('show', 'a call, its response and what became of that', 'GET');
  one('cancel', 'cancels a call unless it is answered', 'DELETE');
}

async function readSchema(read: Parameters<typeof readJson>[0], path: string): Promise<Json> {
  const schema = await readJson(read, path);
  if (schema === null || isJsonObject(schema)) return schema;
  throw new UsageError(`${path}: expected a JSON Schema (an object), or null`);
}

function texts(list: string | undefined): string[] | undefined {
  return list
    ?.split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

function parseTimeout(text: string): number {
  return text === '0' ? 0 : parseCount(text);
}
