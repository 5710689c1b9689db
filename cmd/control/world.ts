import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { embeddedDatabase } from '../../pkg/config/embedded.ts';
import { connect, openDeadLetters } from './connect.ts';
import type { Context, MigrationTarget } from './context.ts';
import { processTerminal } from './terminal.ts';

/** This process's own terminal, files, network and signals. */
export function processContext(): Context {
  const terminal = processTerminal();
  return {
    terminal,
    read: (path) => (path === '-' ? text(process.stdin) : readFile(path, 'utf8')),
    connect: (options) => connect(options, terminal),
    deadLetters: openDeadLetters,
    migrate: migrateDatabase,
    interruption: () => {
      const controller = new AbortController();
      // `once`: the second one finds no listener and ends the process as it always does.
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => controller.abort());
      return controller.signal;
    },
  };
}

async function migrateDatabase(target: MigrationTarget): Promise<string[]> {
  // Loaded only for this command: no other one needs a database driver.
  const { openMysqlStore, openSqliteStore } = await import('../../pkg/store/index.ts');
  const store =
    'embedded' in target ? openSqliteStore({ file: embeddedDatabase(target.embedded) }) : openMysqlStore({ dsn: target.dbDSN });
  try {
    return await store.migrate();
  } finally {
    await store.close();
  }
}
