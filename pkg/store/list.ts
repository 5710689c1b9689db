import { FlowError } from '../error/index.ts';
import { type Action, type ActionList, indexActions } from '../model/action.ts';
import type { ListStore } from '../service/ports.ts';
import type { Session } from './session.ts';

export class SqlListStore implements ListStore {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /**
   * A list never changes, so that whoever wrote it first wrote the same; only when it was last used is renewed. When it
   * was cleared away between the two statements, it is written anew.
   */
  async put(owner: string, key: string, actions: readonly Action[]): Promise<void> {
    const text = JSON.stringify(actions);
    const tm_used = this.#session.dialect.now();
    for (;;) {
      const row = { owner, list_key: key, actions: text, tm_used };
      if (await this.#session.insertOnce((db) => db.insertInto('action_lists').values(row).execute())) return;
      if (await this.#renew(owner, key, 0)) return;
    }
  }

  async use(owner: string, key: string, ms: number): Promise<void> {
    await this.#renew(owner, key, ms);
  }

  async get(owner: string, key: string): Promise<ActionList | undefined> {
    const row = await this.#session.run((db) =>
      db.selectFrom('action_lists').select('actions').where('owner', '=', owner).where('list_key', '=', key).executeTakeFirst(),
    );
    return row && indexActions(actionsOf(row.actions, owner, key));
  }

  /** Never back: another activeflow may need it for longer. False: it is not there. */
  async #renew(owner: string, key: string, ms: number): Promise<boolean> {
    const until = this.#session.dialect.now(ms);
    const result = await this.#session.run((db) =>
      db
        .updateTable('action_lists')
        .set((eb) => ({
          tm_used: eb.case().when('tm_used', '>', until).then(eb.ref('tm_used')).else(until).end(),
        }))
        .where('owner', '=', owner)
        .where('list_key', '=', key)
        .executeTakeFirst(),
    );
    return result.numUpdatedRows > 0n;
  }
}

function actionsOf(text: string, owner: string, key: string): Action[] {
  try {
    return JSON.parse(text) as Action[];
  } catch {
    // Without what it says: a syntax error quotes the customer's actions.
    throw new FlowError('INTERNAL', 'ACTION_LIST_UNREADABLE', `the list of actions ${key} of ${owner} is no JSON`);
  }
}
