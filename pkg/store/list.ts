import { type Action, type ActionList, indexActions } from '../model/action.ts';
import type { ListStore } from '../service/ports.ts';
import type { Session } from './session.ts';

export class SqlListStore implements ListStore {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /** A list never changes, so that whoever wrote it first wrote the same. */
  async put(owner: string, key: string, actions: readonly Action[]): Promise<void> {
    const text = JSON.stringify(actions);
    await this.#session.insertOnce((db) =>
      db.insertInto('action_lists').values({ owner, list_key: key, actions: text }).execute(),
    );
  }

  async get(owner: string, key: string): Promise<ActionList | undefined> {
    const row = await this.#session.run((db) =>
      db.selectFrom('action_lists').select('actions').where('owner', '=', owner).where('list_key', '=', key).executeTakeFirst(),
    );
    return row && indexActions(JSON.parse(row.actions) as Action[]);
  }
}
