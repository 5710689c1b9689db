import { type Command, Option } from 'commander';
import { parseCount } from './input.ts';

/** How to reach a daemon. */
export interface ConnectionOptions {
  readonly rabbit_addr: string;
  readonly rabbit_queue_listen: string;
  /** Base URL of an embedded daemon; absent: over RabbitMQ. */
  readonly http?: string;
  /** How long one answer is waited for, in ms. */
  readonly timeout: number;
}

export interface GlobalOptions extends ConnectionOptions {
  readonly json: boolean;
}

/** Names and defaults are the daemon's own (docs: command line); each flag has its environment variable. */
export const DEFAULTS = {
  rabbit_addr: 'amqp://guest:guest@localhost:5672',
  rabbit_queue_listen: 'bin-manager.flow-manager.request',
  rabbit_queue_subscribe: 'bin-manager.flow-manager.subscribe',
  rabbit_exchange_delay: 'bin-manager.delay',
  dbDSN: 'testid:testpassword@tcp(127.0.0.1:3306)/test',
} as const;

export function addGlobalOptions(program: Command): Command {
  return program
    .addOption(
      new Option('--rabbit_addr <url>', 'RabbitMQ to reach the daemon by').env('RABBIT_ADDR').default(DEFAULTS.rabbit_addr),
    )
    .addOption(
      new Option('--rabbit_queue_listen <name>', "the daemon's request queue")
        .env('RABBIT_QUEUE_LISTEN')
        .default(DEFAULTS.rabbit_queue_listen),
    )
    .addOption(new Option('--http <url>', "an embedded daemon's address, instead of RabbitMQ").env('HTTP'))
    .addOption(
      new Option('--timeout <ms>', 'how long an answer is waited for').env('TIMEOUT').default(5000).argParser(parseCount),
    )
    .addOption(new Option('--json', 'print JSON instead of tables').default(false));
}

/** A flag beats the environment: RabbitMQ named on the command line is not overruled by HTTP in the environment. */
export function globalOptions(command: Command): GlobalOptions {
  const options = command.optsWithGlobals<GlobalOptions>();
  const source = (name: string): string | undefined => command.getOptionValueSourceWithGlobals(name);
  const named = source('rabbit_addr') === 'cli' || source('rabbit_queue_listen') === 'cli';
  if (!named || source('http') !== 'env') return options;
  const { http: _overruled, ...rest } = options;
  return rest;
}

/** The long names of every flag in a tree of commands, without dashes. */
export function flagNames(command: Command): string[] {
  const own = command.options.flatMap((option) =>
    option.long === undefined || option.long === null ? [] : [option.long.slice(2)],
  );
  return [...own, ...command.commands.flatMap(flagNames), 'help', 'version'];
}
