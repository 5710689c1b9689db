import { type Kysely, type RawBuilder, sql } from 'kysely';

/** Column types of a dialect, and what ends its CREATE TABLE. */
export interface Types {
  readonly id: RawBuilder<unknown>;
  /** One word of ours: a status, a type. */
  readonly word: RawBuilder<unknown>;
  /** One of at most nine letters, that takes as many bytes whatever it is; absent: the database has no such type. */
  readonly fixedWord?: RawBuilder<unknown>;
  /** Text that others choose and that is looked up by an index. */
  readonly key: RawBuilder<unknown>;
  readonly text: RawBuilder<unknown>;
  readonly json: RawBuilder<unknown>;
  readonly time: RawBuilder<unknown>;
  readonly integer: RawBuilder<unknown>;
  readonly flag: RawBuilder<unknown>;
  /** A primary key that counts up by itself. */
  readonly position: RawBuilder<unknown>;
  readonly table: RawBuilder<unknown>;
  /** For an index, where the database knows it. */
  readonly ifNotExists: RawBuilder<unknown>;
}

/** One DDL statement: MySQL commits each by itself, so that a migration of two could be left half done. */
export type Migrate = (db: Kysely<unknown>, types: Types) => Promise<void>;

/**
 * Text compares by bytes, case and trailing spaces included: `utf8mb4_bin` would ignore trailing spaces.
 * JSON is text too: MySQL's own type would be parsed twice and its keys sorted.
 */
export function mysqlTypes(collation: 'utf8mb4_nopad_bin' | 'utf8mb4_0900_bin'): Types {
  return {
    id: sql`varchar(36)`,
    word: sql`varchar(32)`,
    fixedWord: sql`char(9) character set ascii collate ascii_bin`,
    key: sql`varchar(255)`,
    text: sql`mediumtext`,
    json: sql`mediumtext`,
    time: sql`datetime(6)`,
    integer: sql`bigint`,
    flag: sql`tinyint`,
    position: sql`bigint not null auto_increment primary key`,
    table: sql`engine=InnoDB row_format=dynamic default charset=utf8mb4 collate=${sql.raw(collation)}`,
    ifNotExists: sql``,
  };
}

/** SQLite compares text by bytes unless told otherwise. */
export const sqliteTypes: Types = {
  id: sql`text`,
  word: sql`text`,
  key: sql`text`,
  text: sql`text`,
  json: sql`text`,
  time: sql`text`,
  integer: sql`integer`,
  flag: sql`integer`,
  position: sql`integer primary key autoincrement`,
  table: sql``,
  ifNotExists: sql`if not exists`,
};
