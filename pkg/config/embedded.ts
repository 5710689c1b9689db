import { join } from 'node:path';

/** The database file in the folder of an embedded daemon. */
export function embeddedDatabase(dir: string): string {
  return join(dir, 'flow-manager.db');
}
