import { type DestinationStream, destination, type Logger, pino } from 'pino';
import type { Log } from '../service/ports.ts';
import { describeError } from './error.ts';
import { maskFields, maskSecrets } from './mask.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A log whose lines carry given fields: the ids that they are about. */
export interface ScopedLog extends Log {
  child(fields: object): ScopedLog;
}

export interface LogOptions {
  readonly level: LogLevel;
  /** On every line. */
  readonly fields?: object;
  /** Default: standard error, because standard output belongs to the line that says ready. */
  readonly to?: DestinationStream;
}

export function isLogLevel(text: string): text is LogLevel {
  return (LOG_LEVELS as readonly string[]).includes(text);
}

/**
 * One JSON object a line: `{"level":"info","time":"2024-05-01T12:00:00.000Z","activeflow_id":"…","msg":"…"}`.
 * Errors go in the field `error`. Secrets are masked; values of variables appear on debug lines only.
 *
 * @example
 * const log = createLog({ level: 'info', fields: { replica: 'a' } });
 * log.child({ activeflow_id }).warn({ error }, 'the call was not hung up');
 */
export function createLog(options: LogOptions): ScopedLog {
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: (error: unknown) => describeError(error) },
    },
    // Not sync: a slow reader of the pipe must not hold up requests. pino writes out what is left at exit.
    options.to ?? destination({ dest: 2, sync: false }),
  );
  return new PinoLog(options.fields === undefined ? logger : logger.child(maskFields(options.fields, false)));
}

class PinoLog implements ScopedLog {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  child(fields: object): ScopedLog {
    return new PinoLog(this.#logger.child(maskFields(fields, false)));
  }

  debug(fields: object, message: string): void {
    this.#write('debug', fields, message);
  }

  info(fields: object, message: string): void {
    this.#write('info', fields, message);
  }

  warn(fields: object, message: string): void {
    this.#write('warn', fields, message);
  }

  error(fields: object, message: string): void {
    this.#write('error', fields, message);
  }

  #write(level: 'debug' | 'info' | 'warn' | 'error', fields: object, message: string): void {
    // Before masking, which costs more than a line that nobody asked for should.
    if (!this.#logger.isLevelEnabled(level)) return;
    this.#logger[level](maskFields(fields, level === 'debug'), maskSecrets(message));
  }
}
