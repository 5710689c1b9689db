import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Libsql from 'libsql';
import type { Store } from '../../pkg/service/ports.ts';
import { openSqliteStore } from '../../pkg/store/index.ts';

/** A store in a file of its own for the suite that calls this, and a way round it, to damage what is stored. */
export class SqliteFile {
  #folder = '';
  #store: Store | undefined;

  static forSuite(): SqliteFile {
    const file = new SqliteFile();
    before(() => file.#open());
    after(() => file.#close());
    return file;
  }

  get store(): Store {
    if (!this.#store) throw new Error('the suite has not begun');
    return this.#store;
  }

  readonly sql = (text: string, ...values: string[]): void => {
    const database = new Libsql(this.#file, { timeout: 5_000 });
    database.prepare(text).run(values);
    database.close();
  };

  get #file(): string {
    return join(this.#folder, 'test.db');
  }

  async #open(): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), 'flow-sqlite-'));
    this.#store = openSqliteStore({ file: this.#file });
    await this.#store.migrate();
  }

  async #close(): Promise<void> {
    await this.#store?.close();
    await rm(this.#folder, { recursive: true });
  }
}
