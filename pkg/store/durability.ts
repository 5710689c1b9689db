import { sql } from 'kysely';
import type { WeakSetting } from '../service/ports.ts';
import type { Session } from './session.ts';

/** 2 is FULL, 3 EXTRA: each commit is on the disk when it returns. */
const SQLITE_FULL = 2;

/** What the server does at a commit, where that is less than putting it on the disk. */
export async function weakSettings(session: Session): Promise<WeakSetting[]> {
  return session.dialect.name === 'sqlite' ? weakSqlite(session) : weakMysql(session);
}

async function weakMysql(session: Session): Promise<WeakSetting[]> {
  const { rows } = await session.run((db) =>
    sql<{ flush: number; log_bin: number; sync_binlog: number }>`
      select @@global.innodb_flush_log_at_trx_commit as flush, @@global.log_bin as log_bin, @@global.sync_binlog as sync_binlog`.execute(
      db,
    ),
  );
  const [server] = rows;
  if (!server) return [];
  const weak: WeakSetting[] = [];
  // MariaDB's 3 flushes more than 1 does.
  if (server.flush !== 1 && server.flush !== 3)
    weak.push({ setting: 'innodb_flush_log_at_trx_commit', value: String(server.flush), expected: '1' });
  if (server.log_bin === 1 && server.sync_binlog !== 1)
    weak.push({ setting: 'sync_binlog', value: String(server.sync_binlog), expected: '1' });
  return weak;
}

async function weakSqlite(session: Session): Promise<WeakSetting[]> {
  const { rows } = await session.run((db) => sql<{ synchronous: number }>`pragma synchronous`.execute(db));
  const value = rows[0]?.synchronous ?? 0;
  return value >= SQLITE_FULL ? [] : [{ setting: 'synchronous', value: String(value), expected: 'FULL' }];
}
