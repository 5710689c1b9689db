import { FlowError } from '../error/index.ts';

/** Where a MySQL or MariaDB server is and how to log in. Holds the password: never put it in a log line. */
export interface MysqlAddress {
  readonly user: string;
  readonly password: string;
  /** Absent when `socketPath` is given. */
  readonly host?: string;
  readonly port?: number;
  readonly socketPath?: string;
  readonly database: string;
  /** `verify`: the certificate must be good; `skip-verify`: any will do. */
  readonly tls: 'off' | 'verify' | 'skip-verify';
}

/**
 * What go-sql-driver/mysql knows. Operators hand us the strings that they gave the Go service; of these only `tls`
 * means something here, because times, charset and protocol are not for a flag to decide.
 */
const GO_PARAMETERS = new Set([
  'allowAllFiles',
  'allowCleartextPasswords',
  'allowFallbackToPlaintext',
  'allowNativePasswords',
  'allowOldPasswords',
  'charset',
  'checkConnLiveness',
  'clientFoundRows',
  'collation',
  'columnsWithAlias',
  'compress',
  'connectionAttributes',
  'interpolateParams',
  'loc',
  'maxAllowedPacket',
  'multiStatements',
  'parseTime',
  'readTimeout',
  'rejectReadOnly',
  'serverPubKey',
  'timeTruncate',
  'timeout',
  'writeTimeout',
]);

const FORMS =
  'user:password@tcp(host:port)/database, user:password@unix(/path)/database or mysql://user:password@host:port/database';

/**
 * Reads a DSN in Go's form or a `mysql://` URL. As in Go the last `@` and the last `/` decide, so that a password
 * may hold both; in a URL user and password may be percent-encoded.
 *
 * @example parseDsn('flow:secret@tcp(db:3306)/flows?parseTime=true&tls=skip-verify')
 * @throws FlowError INVALID_DSN; the message never shows any part of the user's or the password's text
 */
export function parseDsn(dsn: string): MysqlAddress {
  return dsn.startsWith('mysql://') ? parseUrl(dsn.slice('mysql://'.length)) : parseGo(dsn);
}

/** The address as it may be shown: no user, no password. */
export function describeAddress(address: MysqlAddress): string {
  return `${address.socketPath ?? `${address.host}:${address.port}`}/${address.database}`;
}

function parseGo(dsn: string): MysqlAddress {
  const slash = dsn.lastIndexOf('/');
  if (slash < 0) throw badDsn(`expected ${FORMS}`);
  const left = dsn.slice(0, slash);
  const at = left.lastIndexOf('@');
  const [user, password] = splitOnce(at < 0 ? '' : left.slice(0, at), ':');
  const [database, query] = splitOnce(dsn.slice(slash + 1), '?');
  return { user, password, ...goPlace(left.slice(at + 1)), database: needDatabase(decode(database)), tls: readTls(query) };
}

function goPlace(text: string): Pick<MysqlAddress, 'host' | 'port' | 'socketPath'> {
  const match = /^([a-z0-9]*)(?:\((.*)\))?$/.exec(text);
  const net = match?.[1] === '' ? 'tcp' : match?.[1];
  if (net === 'unix') return { socketPath: match?.[2] ?? '/tmp/mysql.sock' };
  if (net === 'tcp') return hostAndPort(match?.[2] ?? '');
  throw badDsn(`the part before the last / must end in tcp(host:port) or unix(/path); expected ${FORMS}`);
}

function parseUrl(rest: string): MysqlAddress {
  const match = /^(?:(.*)@)?([^@/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(rest);
  if (!match) throw badDsn(`expected ${FORMS}`);
  const [user, password] = splitOnce(match[1] ?? '', ':');
  return {
    user: decode(user),
    password: decode(password),
    ...hostAndPort(match[2] ?? ''),
    database: needDatabase(decode(match[3] ?? '')),
    tls: readTls(match[4] ?? ''),
  };
}

function hostAndPort(text: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text);
  const port = Number(match?.[3] ?? 3306);
  if (!match || port < 1 || port > 65_535) throw badDsn('expected host:port (an IPv6 address in brackets) as its address');
  return { host: match[1] ?? (match[2] || '127.0.0.1'), port };
}

function readTls(query: string): MysqlAddress['tls'] {
  let tls: MysqlAddress['tls'] = 'off';
  for (const part of query.split('&').filter((piece) => piece !== '')) {
    const [name, value] = splitOnce(part, '=');
    if (name === 'tls') tls = tlsOf(decode(value));
    else if (!GO_PARAMETERS.has(name)) throw badDsn(`unknown parameter ${name}; known are tls and those of Go's driver`);
  }
  return tls;
}

function tlsOf(value: string): MysqlAddress['tls'] {
  switch (value.toLowerCase()) {
    case 'true':
    case '1':
      return 'verify';
    case 'skip-verify':
      return 'skip-verify';
    case 'false':
    case '0':
    case '':
      return 'off';
    default:
      throw badDsn(`parameter tls: expected true, skip-verify or false, got ${value}`);
  }
}

function needDatabase(name: string): string {
  if (name === '') throw badDsn('it names no database after the last /');
  return name;
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/** A stray % in a password is that character, not an error. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function badDsn(what: string): FlowError {
  return new FlowError('INVALID_ARGUMENT', 'INVALID_DSN', `database DSN: ${what}`);
}
