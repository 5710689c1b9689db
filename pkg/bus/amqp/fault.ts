import { BusError } from '../../service/ports.ts';

/** The reply code of an AMQP error: 404 not found, 406 exists otherwise, 503 command invalid… */
export function replyCode(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const code: unknown = Reflect.get(error, 'code');
  return typeof code === 'number' ? code : undefined;
}

/** Text for a log line; a refused connection to a name of two addresses has an empty message of its own. */
export function describe(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(describe).join('; ');
  return error instanceof Error ? error.message : String(error);
}

export function closed(message: string, cause?: unknown): BusError {
  return new BusError('closed', message, cause === undefined ? undefined : { cause });
}
