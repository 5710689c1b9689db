import { FlowError, unavailable } from '../error/index.ts';

/**
 * What went wrong, as far as the store acts on it.
 * duplicate: a unique key exists already · contention: rolled back by the server, may be tried again at once ·
 * lost: the database is away or refuses, and whether the statement took effect is not known ·
 * refused: the database is there but takes nothing (read-only, too many connections, wrong password, disk full) ·
 * too_large: a value or a packet over the server's size.
 */
export type Failure = 'duplicate' | 'contention' | 'lost' | 'refused' | 'too_large' | 'other';

const BY_ERRNO: { readonly [errno: number]: Failure } = {
  1022: 'duplicate',
  1062: 'duplicate',
  1586: 'duplicate',
  1205: 'contention',
  1213: 'contention',
  1020: 'contention', // MariaDB 11.6+: record has changed since last read
  1053: 'lost', // shutdown in progress
  1079: 'lost',
  1152: 'lost',
  1158: 'lost',
  1159: 'lost',
  1160: 'lost',
  1161: 'lost',
  1317: 'lost', // query interrupted
  1927: 'lost', // connection killed
  4031: 'lost', // closed for inactivity
  1021: 'refused', // disk full
  1040: 'refused',
  1044: 'refused',
  1045: 'refused',
  1049: 'refused',
  1114: 'refused', // table full
  1129: 'refused',
  1130: 'refused',
  1203: 'refused',
  1226: 'refused',
  1290: 'refused', // --read-only
  1698: 'refused',
  1792: 'refused', // read-only transaction
  1836: 'refused', // read-only mode
  3032: 'refused', // offline mode
  1153: 'too_large',
  1301: 'too_large',
  1406: 'too_large',
};

/** The server is there and reads, and takes no writes: --read-only, read-only mode. */
const READ_ONLY: ReadonlySet<unknown> = new Set([1290, 1836]);

export function isReadOnly(error: unknown): boolean {
  return error instanceof Error && 'errno' in error && READ_ONLY.has(error.errno);
}

/** Nothing was sent in these cases: the connection did not come about. */
const NOT_CONNECTED = new Set([
  'NOT_CONNECTED',
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
  'EACCES',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

const LOST = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'PROTOCOL_CONNECTION_LOST', 'PROTOCOL_SEQUENCE_TIMEOUT']);

/** A connection did not come about, so that nothing can have taken effect. */
export class NotConnected extends Error {
  readonly code = 'NOT_CONNECTED';

  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message || String(cause) : String(cause), { cause });
  }
}

/** The database has not answered a statement in time; whether it took effect is not known. */
export class StatementTimeout extends Error {
  readonly code = 'PROTOCOL_SEQUENCE_TIMEOUT';

  constructor(ms: number) {
    super(`no answer within ${ms} ms`);
  }
}

export function classify(error: unknown): Failure {
  if (!(error instanceof Error)) return 'other';
  const { errno, code, fatal } = error as Error & { errno?: unknown; code?: unknown; fatal?: unknown };
  if (typeof code === 'string') {
    if (code.startsWith('SQLITE_')) return ofSqlite(code);
    if (NOT_CONNECTED.has(code)) return 'refused';
    if (LOST.has(code)) return 'lost';
  }
  const known = typeof errno === 'number' ? BY_ERRNO[errno] : undefined;
  if (known) return known;
  // mysql2 marks what ends a connection, "Can't add new command when connection is in closed state" among it.
  return fatal === true || error.message === 'Pool is closed.' ? 'lost' : 'other';
}

function ofSqlite(code: string): Failure {
  if (code === 'SQLITE_CONSTRAINT_PRIMARYKEY' || code === 'SQLITE_CONSTRAINT_UNIQUE') return 'duplicate';
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) return 'contention';
  if (code === 'SQLITE_TOOBIG') return 'too_large';
  return /^SQLITE_(READONLY|FULL|IOERR|CANTOPEN|CORRUPT|NOTADB)/.test(code) ? 'refused' : 'other';
}

/**
 * True when this connection is of no more use: also one to a server that became a read-only replica, and one that sent
 * too large a packet, because the server closes it.
 */
export function spoilsConnection(error: unknown): boolean {
  const failure = classify(error);
  return failure === 'lost' || failure === 'refused' || failure === 'too_large';
}

/** What callers of the store see. `where`: the database, as it may be shown. */
export function toStoreError(error: unknown, where: string): unknown {
  if (error instanceof FlowError || !(error instanceof Error)) return error;
  switch (classify(error)) {
    case 'lost':
    case 'refused':
    case 'contention':
      return unavailable('DATABASE_UNAVAILABLE', `database ${where}: ${error.message || String(error)}`, { cause: error });
    case 'too_large':
      return tooLarge(`database ${where}: ${error.message}`, error);
    default:
      return new FlowError('INTERNAL', 'DATABASE_ERROR', `database ${where}: ${error.message}`, [], { cause: error });
  }
}

/** Terminal: the same write can never succeed. */
export function tooLarge(message: string, cause?: unknown): FlowError {
  return new FlowError('FAILED_PRECONDITION', 'ROW_TOO_LARGE', message, [], cause === undefined ? undefined : { cause });
}
