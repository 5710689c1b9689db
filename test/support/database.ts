/** Databases of a suite's own, so that suites can run side by side on one server. */
import { randomBytes } from 'node:crypto';
import { type Connection, createConnection } from 'mysql2/promise';
import { describeAddress, type MysqlAddress, parseDsn } from '../../pkg/store/dsn.ts';
import { services } from './services.ts';

export interface TestDatabase {
  /** In Go's form, ready for `openMysqlStore`. */
  readonly dsn: string;
  readonly name: string;
  /** An admin's connection to it, to look and to meddle. */
  readonly admin: Connection;
  drop(): Promise<void>;
}

/** Makes an empty database on the tests' server, or on that of `dsn`. */
export async function createDatabase(dsn?: string): Promise<TestDatabase> {
  const address = parseDsn(dsn ?? (await services()).dsn);
  const name = `flow_test_${randomBytes(6).toString('hex')}`;
  const admin = await createConnection({ ...loginOf(address), dateStrings: true, charset: 'utf8mb4' });
  await admin.query(`CREATE DATABASE ${name}`);
  await admin.query(`USE ${name}`);
  return {
    dsn: dsnOf({ ...address, database: name }),
    name,
    admin,
    async drop() {
      await admin.query(`DROP DATABASE IF EXISTS ${name}`);
      await admin.end();
    },
  };
}

/** Where the server of a database is, as `host:port`, for a proxy in between. */
export function hostOf(dsn: string): string {
  return describeAddress(parseDsn(dsn)).split('/')[0] ?? '';
}

/** The same database by way of another address. */
export function through(dsn: string, hostAndPort: string): string {
  const [host = '', port = ''] = hostAndPort.split(':');
  const { socketPath, ...address } = parseDsn(dsn);
  return dsnOf({ ...address, host, port: Number(port) });
}

function loginOf({ user, password, host, port, socketPath }: MysqlAddress) {
  return { user, password, ...(socketPath === undefined ? { host: host ?? '', port: port ?? 3306 } : { socketPath }) };
}

function dsnOf({ user, password, host, port, socketPath, database }: MysqlAddress): string {
  return `${user}:${password}@${socketPath === undefined ? `tcp(${host}:${port})` : `unix(${socketPath})`}/${database}`;
}
