import { type Kysely, type Migration, Migrator, sql } from 'kysely';
import { migrations } from '../../migrations/index.ts';
import { type Migrate, mysqlTypes, sqliteTypes, type Types } from '../../migrations/types.ts';
import { unavailable } from '../error/index.ts';
import type { Schema } from './schema.ts';
import type { Session } from './session.ts';

const NAMES = Object.keys(migrations);

/**
 * Runs what has not been run, one process at a time (kysely takes get_lock on MySQL, the write lock on SQLite).
 * `db`: connections without a time limit for a statement, because building an index on a large table takes long.
 */
export async function migrate(session: Session, db: Kysely<Schema>): Promise<string[]> {
  return session.run(async () => {
    const done = await migrationsDone(db);
    // A newer release may have gone further: its migrations only expand, and kysely would call them corrupt.
    if (NAMES.every((name) => done.has(name))) return [];
    const types = await typesOf(session, db);
    // Numbers are given out in ranges: a lower one may come to a database later than a higher one.
    const migrator = new Migrator({ db, provider: { getMigrations: async () => bound(types) }, allowUnorderedMigrations: true });
    const { error, results } = await migrator.migrateToLatest();
    if (error !== undefined) throw error;
    return (results ?? []).filter((result) => result.status === 'Success').map((result) => result.migrationName);
  });
}

/** Throws UNAVAILABLE: the server is too old, or lacks migrations. */
export async function checkSchema(session: Session): Promise<void> {
  const missing = await session.run(async (db) => {
    await checkServer(session, db);
    const done = await migrationsDone(db);
    return NAMES.filter((name) => !done.has(name));
  });
  if (missing.length === 0) return;
  const named = missing.length > 3 ? `${missing.slice(0, 3).join(', ')} …` : missing.join(', ');
  throw unavailable(
    'DATABASE_NOT_MIGRATED',
    `database ${session.where} lacks ${missing.length} of ${NAMES.length} migrations (${named}): run "npm run migrate", or start with --migrate`,
  );
}

function bound(types: Types): Record<string, Migration> {
  const up = (migration: Migrate): Migration => ({ up: (db: Kysely<unknown>) => migration(db, types) });
  return Object.fromEntries(Object.entries(migrations).map(([name, migration]) => [name, up(migration)]));
}

async function migrationsDone(db: Kysely<Schema>): Promise<Set<string>> {
  try {
    const { rows } = await sql<{ name: string }>`select name from kysely_migration`.execute(db);
    return new Set(rows.map((row) => row.name));
  } catch (error) {
    if (isNoSuchTable(error)) return new Set();
    throw error;
  }
}

function isNoSuchTable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return 'errno' in error ? error.errno === 1146 : error.message.includes('no such table');
}

async function typesOf(session: Session, db: Kysely<Schema>): Promise<Types> {
  if (session.dialect.name === 'sqlite') return sqliteTypes;
  return mysqlTypes((await serverVersion(db)).includes('MariaDB') ? 'utf8mb4_nopad_bin' : 'utf8mb4_0900_bin');
}

async function serverVersion(db: Kysely<Schema>): Promise<string> {
  const { rows } = await sql<{ version: string }>`select version() as version`.execute(db);
  return rows[0]?.version ?? '';
}

async function checkServer(session: Session, db: Kysely<Schema>): Promise<void> {
  if (session.dialect.name === 'sqlite') return;
  const version = await serverVersion(db);
  // Some MariaDB servers put 5.5.5- in front of their version, for old replicas.
  const [major = 0, minor = 0] = version
    .replace(/^5\.5\.5-/, '')
    .split('.')
    .map(Number);
  const [wanted, enough] = version.includes('MariaDB')
    ? ['MariaDB 10.6', major > 10 || (major === 10 && minor >= 6)]
    : ['MySQL 8.0', major >= 8];
  if (!enough)
    throw unavailable('DATABASE_TOO_OLD', `database ${session.where} is version ${version}: ${wanted} or newer is needed`);
}
