import { type Command, Option } from 'commander';
import type { DeadLetter } from '../../pkg/bus/index.ts';
import { maskFields, maskSecrets } from '../../pkg/log/index.ts';
import { isJsonObject, type Json, type JsonObject } from '../../pkg/model/json.ts';
import { type Context, type DeadLetterDesk, Exit } from './context.ts';
import { parseCount, UsageError } from './input.ts';
import { DEFAULTS, type GlobalOptions, globalOptions } from './options.ts';
import { column, printJson, printList, printResource } from './print.ts';
import { paint } from './terminal.ts';

interface Where {
  readonly queue?: readonly string[];
  readonly rabbit_queue_subscribe: string;
  readonly rabbit_exchange_delay: string;
}

export function addDeadLetterCommands(program: Command, context: Context): void {
  const deadLetter = program.command('dead-letter').description('messages that were set aside, over RabbitMQ only');

  where(deadLetter.command('list').description('what was set aside, by queue, the oldest first'))
    .addOption(new Option('--limit <n>', 'how many of a queue at most').default(100).argParser(parseCount))
    .action((options: Where & { limit: number }, command: Command) =>
      atDesk(context, command, options, async (desk, queues, json) => {
        const rows: JsonObject[] = [];
        let more = false;
        for (const queue of queues) {
          let left = options.limit;
          await desk.each(queue, (letter) => {
            more ||= left === 0;
            if (left > 0) rows.push(summary(letter));
            return left-- > 0;
          });
        }
        printList({ terminal: context.terminal, json }, rows, COLUMNS);
        if (more) context.terminal.err(paint(context.terminal, 'dim', 'there are more: --limit'));
      }),
    );

  where(deadLetter.command('show <id>').description('one message whole, secrets masked')).action(
    (id: string, options: Where, command: Command) =>
      atDesk(context, command, options, async (desk, queues, json) => {
        const found = await find(desk, queues, id);
        printResource({ terminal: context.terminal, json }, whole(found));
      }),
  );

  where(deadLetter.command('retry [ids...]').description('sends messages back to the queues that they came from'))
    .option('--all', 'every one of these queues')
    .action((ids: string[], options: Where & { all?: boolean }, command: Command) =>
      atDesk(context, command, options, async (desk, queues, json) => {
        if (ids.length > 0 === (options.all === true)) throw new UsageError('retry: expected either ids or --all');
        await retry(context, desk, queues, options.all ? undefined : ids, json);
      }),
    );
}

function where(command: Command): Command {
  return command
    .option('--queue <name...>', 'only what came from these queues')
    .addOption(
      new Option('--rabbit_queue_subscribe <name>', "the daemon's queue for events")
        .env('RABBIT_QUEUE_SUBSCRIBE')
        .default(DEFAULTS.rabbit_queue_subscribe),
    )
    .addOption(
      new Option('--rabbit_exchange_delay <name>', "the daemon's exchange for delayed messages")
        .env('RABBIT_EXCHANGE_DELAY')
        .default(DEFAULTS.rabbit_exchange_delay),
    );
}

async function atDesk(
  context: Context,
  command: Command,
  options: Where,
  work: (desk: DeadLetterDesk, queues: readonly string[], json: boolean) => Promise<void>,
): Promise<void> {
  const global = globalOptions(command);
  if (global.http !== undefined) {
    throw new UsageError(
      'dead-letter: expected RabbitMQ (--rabbit_addr). An embedded daemon has what it set aside in its memory only, and its log names each with the reason',
    );
  }
  const desk = await context.deadLetters(global);
  try {
    await work(desk, queuesOf(options, global), global.json);
  } finally {
    await desk.close();
  }
}

function queuesOf(options: Where, { rabbit_queue_listen }: GlobalOptions): readonly string[] {
  return options.queue ?? [rabbit_queue_listen, options.rabbit_queue_subscribe, `${options.rabbit_exchange_delay}.stored`];
}

async function find(desk: DeadLetterDesk, queues: readonly string[], id: string): Promise<DeadLetter> {
  let found: DeadLetter | undefined;
  for (const queue of queues) {
    if (found) break;
    await desk.each(queue, (letter) => {
      if (letter.id === id) found = letter;
      return found === undefined;
    });
  }
  if (!found) throw notThere([id], queues);
  return found;
}

/** `ids` undefined: all. */
async function retry(
  { terminal }: Context,
  desk: DeadLetterDesk,
  queues: readonly string[],
  ids: readonly string[] | undefined,
  json: boolean,
): Promise<void> {
  const retried: string[] = [];
  const failed: { readonly id: string; readonly reason: string }[] = [];
  for (const queue of queues) {
    const outcome = await desk.retry(queue, (letter) => ids?.includes(letter.id) ?? true);
    retried.push(...outcome.retried);
    failed.push(...outcome.failed);
  }
  if (json) printJson({ terminal, json }, { retried, failed: failed.map((one) => ({ ...one })) });
  else terminal.out(`sent back ${retried.length}`);
  for (const { id, reason } of failed) terminal.err(`${id} stays: ${reason}`);
  const met = new Set([...retried, ...failed.map((one) => one.id)]);
  const missing = (ids ?? []).filter((id) => !met.has(id));
  if (missing.length > 0) throw notThere(missing, queues);
  if (failed.length > 0) throw new Exit(1);
}

function notThere(ids: readonly string[], queues: readonly string[]): Error {
  return new Error(`no dead letter ${ids.join(', ')} of ${queues.join(', ')}`);
}

const COLUMNS = [
  column('id'),
  column('time'),
  column('queue', { shrink: true }),
  column('message_id', { shrink: true }),
  column('retries', { align: 'right' }),
  column('bytes', { align: 'right' }),
  column('reason', { shrink: true }),
];

function summary({ id, time, queue, message_id, retries, body, reason }: DeadLetter): JsonObject {
  return { id, time, queue, message_id, retries, bytes: body.length, reason: maskSecrets(reason) };
}

function whole(letter: DeadLetter): JsonObject {
  const { routing_key, correlation_id, reply_to, content_type, headers, body } = letter;
  return {
    ...summary(letter),
    routing_key,
    correlation_id,
    reply_to,
    content_type,
    headers: masked(headers),
    body: bodyOf(body),
  };
}

/** Deeper than any log line: this is one message, and somebody wants to know what is in it. */
const DEPTH = 100;

function masked(fields: object): JsonObject {
  return maskFields(fields, true, DEPTH) as JsonObject;
}

/** JSON with what is called a secret masked, else text, else bytes in base64. */
function bodyOf(body: Buffer): Json {
  const text = body.toString('utf8');
  if (!Buffer.from(text).equals(body)) return `base64:${body.toString('base64')}`;
  try {
    const parsed = JSON.parse(text) as Json;
    if (!isJsonObject(parsed)) return maskSecrets(text);
    const { data } = parsed;
    // An envelope may carry its data as text.
    const inner = typeof data === 'string' ? innerOf(data) : data;
    return masked(inner === undefined ? parsed : { ...parsed, data: inner });
  } catch {
    return maskSecrets(text);
  }
}

function innerOf(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
