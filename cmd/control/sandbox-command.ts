import { type Command, InvalidArgumentError, Option } from 'commander';
import { isJsonObject } from '../../pkg/model/json.ts';
import { type Context, inSession, type Session } from './context.ts';
import { UsageError } from './input.ts';
import { SIBLINGS } from './sandbox.ts';
import { type Exchange, serveSiblings } from './sandbox-serve.ts';
import { printable, truncate } from './table.ts';
import { paint, showDuration } from './terminal.ts';

interface SandboxOptions {
  readonly only?: string[];
  readonly except?: string[];
}

export function addSandboxCommand(program: Command, context: Context): void {
  const names = `comma list of: ${SIBLINGS.join(', ')}`;
  program
    .command('sandbox')
    .description('answers as every other manager of the platform, and shows what they are asked; over RabbitMQ, until Ctrl-C')
    .addOption(new Option('--only <siblings>', names).argParser(parseSiblings).conflicts('except'))
    .addOption(new Option('--except <siblings>', 'all but these').argParser(parseSiblings))
    .action((options: SandboxOptions, command: Command) =>
      inSession(context, command, async (session) => {
        const { bus, terminal } = session;
        if (bus === undefined)
          throw new UsageError('sandbox: siblings are asked over RabbitMQ; an embedded daemon has --sandbox for itself');
        const interruption = context.interruption();
        const served = (options.only ?? [...SIBLINGS]).filter((name) => options.except?.includes(name) !== true);
        const serving = await serveSiblings(bus, served, (exchange) => show(session, exchange));
        terminal.err(paint(terminal, 'dim', `ready: answering as ${served.join(', ')}`));
        await new Promise<void>((resolve) => {
          if (interruption.aborted) return resolve();
          interruption.addEventListener('abort', () => resolve(), { once: true });
        });
        await serving.close();
      }),
    );
}

function show(session: Session, exchange: Exchange): void {
  if (session.json) {
    const { to, request, response, repeat, duration_ms } = exchange;
    session.terminal.out(JSON.stringify({ tm: new Date().toISOString(), to, ...request, response, repeat, duration_ms }));
    return;
  }
  session.terminal.out(exchangeLine(session, exchange, new Date()));
}

/** `12:34:56.789  queue  POST /v1/services/type/queuecall  200  0.2 ms  {"queue_id":…}` */
export function exchangeLine({ terminal }: Pick<Session, 'terminal'>, exchange: Exchange, now: Date): string {
  const { to, request, response, repeat, duration_ms } = exchange;
  const head = [now.toISOString().slice(11, 23), to.padEnd(12), `${request.method} ${printable(request.uri)}`].join('  ');
  const tail = `${response.status_code}  ${showDuration(duration_ms)}${repeat ? '  (a repeat)' : ''}`;
  const text = printable(summary(exchange));
  const room = terminal.columns === undefined ? text.length : terminal.columns - head.length - tail.length - 4;
  const shown = room < 10 ? '' : truncate(text, room);
  return `${paint(terminal, 'cyan', head)}  ${tail}  ${paint(terminal, 'dim', shown)}`.trimEnd();
}

/** A webhook is mostly envelope: what it tells of comes first. */
function summary({ to, request }: Exchange): string {
  const { data } = request;
  if (data === undefined || data === null) return '';
  if (to === 'webhook' && isJsonObject(data) && isJsonObject(data.data) && typeof data.data.type === 'string') {
    return `${data.data.type} ${JSON.stringify(data.data.data ?? null)}`;
  }
  return JSON.stringify(data);
}

export function parseSiblings(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !SIBLINGS.some((sibling) => sibling === name));
  if (unknown !== undefined) throw new InvalidArgumentError(`no sibling ${unknown}: expected some of ${SIBLINGS.join(', ')}`);
  return names;
}
