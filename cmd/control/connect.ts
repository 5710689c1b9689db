import type { Bus, Log } from '../../pkg/service/ports.ts';
import { BusRpcClient } from './client-bus.ts';
import { HttpRpcClient } from './client-http.ts';
import type { Connection, DeadLetterDesk } from './context.ts';
import { UsageError } from './input.ts';
import type { ConnectionOptions } from './options.ts';
import { paint, type Terminal } from './terminal.ts';

/** A person is waiting: what a handler has not finished by then is given back to the broker. */
const DRAIN_MS = 1_000;

export async function connect(options: ConnectionOptions, terminal: Terminal): Promise<Connection> {
  if (options.http !== undefined) {
    if (!/^https?:$/.test(parseUrl(options.http, '--http').protocol))
      throw new UsageError('--http: expected an http:// or https:// address');
    return { client: new HttpRpcClient(options.http, options.timeout), close: async () => undefined };
  }
  const bus = await openBus(options, terminal);
  return { client: new BusRpcClient(bus, options.rabbit_queue_listen, options.timeout), bus, close: () => bus.close() };
}

export async function openDeadLetters({ rabbit_addr, timeout }: ConnectionOptions): Promise<DeadLetterDesk> {
  const url = parseRabbit(rabbit_addr);
  const { DeadLetters } = await import('../../pkg/bus/index.ts');
  try {
    return await DeadLetters.open(rabbit_addr, timeout);
  } catch (error) {
    throw new Error(`no RabbitMQ at ${url.host}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

async function openBus({ rabbit_addr, timeout }: ConnectionOptions, terminal: Terminal): Promise<Bus> {
  const url = parseRabbit(rabbit_addr);
  // Loaded only when it is needed: a command over HTTP starts in half the time.
  const { AmqpBus } = await import('../../pkg/bus/index.ts');
  const bus = new AmqpBus({ url: rabbit_addr, log: terminalLog(terminal), drain_ms: DRAIN_MS });
  let timer: NodeJS.Timeout | undefined;
  // The bus waits for its broker for ever, as a daemon must. A person would rather know.
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no RabbitMQ at ${url.host} within ${timeout} ms`)), timeout);
  });
  try {
    await Promise.race([bus.open(), late]);
    return bus;
  } catch (error) {
    await bus.close();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function parseRabbit(address: string): URL {
  const url = parseUrl(address, '--rabbit_addr');
  if (!/^amqps?:$/.test(url.protocol)) throw new UsageError('--rabbit_addr: expected an amqp:// or amqps:// address');
  return url;
}

/** What is wrong with it is said without showing it: it may hold a password. */
function parseUrl(text: string, flag: string): URL {
  if (!URL.canParse(text)) throw new UsageError(`${flag}: expected an address`);
  return new URL(text);
}

/** Warnings and errors as dim lines on stderr; the rest is for daemons. */
export function terminalLog(terminal: Terminal): Log {
  const say = (fields: object, message: string): void => {
    const about = Object.entries(fields).map(
      ([name, value]) => `${name}: ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`,
    );
    terminal.err(paint(terminal, 'dim', about.length === 0 ? message : `${message} (${about.join(', ')})`));
  };
  const silent = (): void => undefined;
  return { debug: silent, info: silent, warn: say, error: say };
}
