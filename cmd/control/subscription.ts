import { type Command, Option } from 'commander';
import type { JsonObject } from '../../pkg/model/json.ts';
import { DELIVERY_STATUSES, LANES, NOTIFICATION_TYPES } from '../../pkg/model/subscription.ts';
import { type Context, inSession, segment } from './context.ts';
import { collectPair, given, parseBoolean, parseCount, UsageError } from './input.ts';
import { listAll, PAGE_OPTIONS, type PageOptions } from './page.ts';
import { column, printResource } from './print.ts';
import { addListenCommand } from './subscription-listen.ts';

interface Fields {
  readonly login_name?: string;
  readonly notification_types?: string;
  readonly workflow_id?: string;
  readonly callback_url?: string;
  readonly access_key?: string;
  readonly header?: Record<string, string>;
  readonly secret?: string[];
  readonly lane?: string;
  readonly attempts?: number;
  readonly timeout_ms?: number;
  readonly enabled?: boolean;
}

const LIST = [
  column('id'),
  column('enabled'),
  column('login_name', { shrink: true }),
  column('notification_types', { shrink: true }),
  column('callback_url', { shrink: true }),
  column('disabled_reason', { shrink: true }),
];
const LOG = [
  column('id'),
  column('sequence'),
  column('notification_type'),
  column('status'),
  column('attempts'),
  column('response_code'),
  column('latency_ms'),
  column('next_try_at'),
  column('error', { shrink: true }),
];

const uri = (id: string, rest = ''): string => `/v1/subscriptions/${segment(id)}${rest}`;

export function addSubscriptionCommands(program: Command, context: Context): void {
  const subscription = program.command('subscription').description('who is told of the progress of flows, and how that goes');
  addResource(subscription, context);
  addLog(subscription, context);
  addListenCommand(subscription, context);
}

function addResource(subscription: Command, context: Context): void {
  withFields(subscription.command('create').requiredOption('--customer_id <id>', 'whose it is'))
    .description('subscribes; shows the secret that was made, this once')
    .action((options: Fields & { customer_id: string }, command: Command) =>
      inSession(context, command, async (session) => {
        const data = { customer_id: options.customer_id, ...readFields(options) };
        printResource(session, await session.ask('POST', '/v1/subscriptions', data));
      }),
    );
  const list = subscription.command('list').description('newest first').option('--customer_id <id>', "this customer's only");
  for (const option of PAGE_OPTIONS()) list.addOption(option);
  list.action((options: PageOptions & { customer_id?: string }, command: Command) =>
    inSession(context, command, (session) =>
      listAll(session, '/v1/subscriptions', given({ customer_id: options.customer_id }), options, LIST),
    ),
  );
  const one = (name: string, description: string, method: 'GET' | 'POST' | 'DELETE', rest = ''): void => {
    subscription
      .command(`${name} <id>`)
      .description(description)
      .action((id: string, _options, command: Command) =>
        inSession(context, command, async (session) => printResource(session, await session.ask(method, uri(id, rest)))),
      );
  };
  one('get', 'one of them, without its secrets', 'GET');
  withFields(subscription.command('update <id>'))
    .description('changes what is named')
    .addOption(new Option('--enabled <true|false>', 'deliver, or keep what waits').argParser(parseBoolean))
    .action((id: string, options: Fields, command: Command) =>
      inSession(context, command, async (session) =>
        printResource(session, await session.ask('PUT', uri(id), readFields(options))),
      ),
    );
  one('delete', 'removes it, with what waits and its log', 'DELETE');
  one('rotate', 'makes a new secret and shows it, this once; the one before is valid for a day', 'POST', '/rotate');
  one('test', 'sends a test notification now, and shows what came of it', 'POST', '/test');
}

function addLog(subscription: Command, context: Context): void {
  const log = subscription
    .command('deliveries <id>')
    .description('what was sent and what waits, newest first')
    .addOption(new Option('--status <status>', 'only these').choices(DELIVERY_STATUSES));
  for (const option of PAGE_OPTIONS()) log.addOption(option);
  log.action((id: string, options: PageOptions & { status?: string }, command: Command) =>
    inSession(context, command, (session) =>
      listAll(session, uri(id, '/deliveries'), {}, options, LOG, options.status === undefined ? {} : { status: options.status }),
    ),
  );
  subscription
    .command('replay <id> [delivery-id]')
    .description('sends one again, or with --since all that has failed since a time')
    .option('--since <time>', 'such as 2026-11-21T08:45:10Z')
    .action((id: string, deliveryId: string | undefined, { since }: { since?: string }, command: Command) =>
      inSession(context, command, async (session) => {
        if ((deliveryId === undefined) === (since === undefined)) throw new UsageError('replay: expected a delivery, or --since');
        const rest =
          deliveryId === undefined
            ? `/replay?since=${encodeURIComponent(since ?? '')}`
            : `/deliveries/${segment(deliveryId)}/replay`;
        printResource(session, await session.ask('POST', uri(id, rest)));
      }),
    );
}

function withFields(command: Command): Command {
  return command
    .option('--callback_url <url>', 'where notifications are sent')
    .option('--login_name <name>', 'who looks after it')
    .option('--notification_types <list>', `comma list of: ${NOTIFICATION_TYPES.join(', ')}`)
    .option('--workflow_id <id>', 'of this flow only')
    .option('--access_key <key>', 'sent as the header access-key')
    .option('--header <name=value>', 'sent with each; may be repeated', collectPair)
    .option('--secret <whsec…>', 'signs; may be given twice, the newer one first', (text: string, all: string[] = []) => [
      ...all,
      text,
    ])
    .addOption(new Option('--lane <lane>', 'what keeps its order').choices(LANES))
    .addOption(new Option('--attempts <n>', 'how often a failed one is tried again').argParser(parseCount))
    .addOption(new Option('--timeout_ms <ms>', 'how long an answer is waited for').argParser(parseCount));
}

function readFields({ notification_types, header, secret, attempts, ...options }: Fields): JsonObject {
  const types = notification_types?.split(',').map((one) => one.trim());
  const retry = attempts === undefined ? undefined : { attempts };
  return given({ ...options, notification_types: types, headers: header, secrets: secret, retry });
}
