import type { Activeflow } from '../model/activeflow.ts';
import type { Callable, WorkflowCall } from '../model/workflow.ts';
import type { CallFilter, Cleared, KeyedCall, NewCall, Page, WorkflowStore } from '../service/ports.ts';
import { after, behind } from './page.ts';
import { erasePushes } from './push.ts';
import type { Session } from './session.ts';
import { CALL_COLUMNS, CALLABLE_COLUMNS, callableFromRow, callableToRow, callFromRow, callToRow } from './workflow-row.ts';

/** How long a call is known by the key of its caller. */
const KEY_MS = 86_400_000;

type InsertActiveflow = (db: Pick<Session['db'], 'insertInto'>, activeflow: Activeflow) => Promise<void>;

export class SqlWorkflowStore implements WorkflowStore {
  readonly #session: Session;
  readonly #insertActiveflow: InsertActiveflow;

  constructor(session: Session, insertActiveflow: InsertActiveflow) {
    this.#session = session;
    this.#insertActiveflow = insertActiveflow;
  }

  async callable(flow_id: string): Promise<Callable | undefined> {
    const row = await this.#session.run((db) =>
      db.selectFrom('callables').select(CALLABLE_COLUMNS).where('flow_id', '=', flow_id).executeTakeFirst(),
    );
    return row && callableFromRow(this.#session.dialect, row);
  }

  async callableByAlias(customer_id: string, alias: string): Promise<Callable | undefined> {
    const row = await this.#session.run((db) =>
      db
        .selectFrom('callables')
        .select(CALLABLE_COLUMNS)
        .where('customer_id', '=', customer_id)
        .where('alias', '=', alias)
        .executeTakeFirst(),
    );
    return row && callableFromRow(this.#session.dialect, row);
  }

  async callables(customer_id: string, page: Page): Promise<Callable[]> {
    const { dialect } = this.#session;
    const rows = await this.#session.run((db) => {
      let query = db.selectFrom('callables').select(CALLABLE_COLUMNS).where('customer_id', '=', customer_id);
      if (page.after) query = query.where(after<'callables'>(dialect, page.after, 'flow_id'));
      return query.orderBy('tm_create', 'desc').orderBy('flow_id', 'desc').limit(page.size).execute();
    });
    return rows.map((row) => callableFromRow(dialect, row));
  }

  async putCallable(callable: Callable): Promise<boolean | 'alias_taken'> {
    const row = callableToRow(this.#session.dialect, callable);
    const { flow_id, customer_id, tm_create, ...changes } = row;
    const written = await this.#session.atomically(async (trx) => {
      if (callable.revision === 1) {
        await trx.insertInto('callables').values(row).execute();
        return true;
      }
      const { numUpdatedRows } = await trx
        .updateTable('callables')
        .set(changes)
        .where('flow_id', '=', flow_id)
        .where('revision', '=', callable.revision - 1)
        .executeTakeFirstOrThrow();
      return numUpdatedRows > 0n;
    });
    if (written || callable.alias === '') return written;
    const holder = await this.callableByAlias(customer_id, callable.alias);
    return holder && holder.flow_id !== flow_id ? 'alias_taken' : false;
  }

  async call(id: string): Promise<WorkflowCall | undefined> {
    const row = await this.#session.run((db) =>
      db.selectFrom('workflow_calls').select(CALL_COLUMNS).where('id', '=', id).executeTakeFirst(),
    );
    return row && callFromRow(this.#session.dialect, row);
  }

  async callByKey(hash: string): Promise<KeyedCall | undefined> {
    const { dialect } = this.#session;
    const row = await this.#session.run((db) =>
      db
        .selectFrom('workflow_calls')
        .select([...CALL_COLUMNS, 'body_hash'])
        .where('key_hash', '=', hash)
        .where('tm_create', '>', dialect.now(-KEY_MS))
        .executeTakeFirst(),
    );
    return row && { call: callFromRow(dialect, row), body_hash: row.body_hash ?? '' };
  }

  async list({ customer_id, flow_id, undeliverable }: CallFilter, page: Page): Promise<WorkflowCall[]> {
    const { dialect } = this.#session;
    const rows = await this.#session.run((db) => {
      let query = db.selectFrom('workflow_calls').select(CALL_COLUMNS).where('customer_id', '=', customer_id);
      if (flow_id !== undefined) query = query.where('flow_id', '=', flow_id);
      // For a person who looks after them: no index is kept for it.
      if (undeliverable) query = query.where('delivery', 'like', '%"state":"undeliverable"%');
      if (page.after) query = query.where(after<'workflow_calls'>(dialect, page.after));
      return query.orderBy('tm_create', 'desc').orderBy('id', 'desc').limit(page.size).execute();
    });
    return rows.map((row) => callFromRow(dialect, row));
  }

  async createCall(call: NewCall): Promise<boolean> {
    if (await this.#insert(call)) return true;
    // A key is free again after its time: whoever holds it longer forgets it, and then it is tried once more.
    return call.key !== undefined && (await this.#forgetKey(call.key.hash)) && this.#insert(call);
  }

  async clearCalls(age_ms: number, place: string, limit: number): Promise<Cleared> {
    const old = this.#session.dialect.now(-age_ms);
    const rows = await this.#session.run((db) =>
      db
        .selectFrom('workflow_calls')
        .select(['id', 'tm_create'])
        .where('tm_create', '<', old)
        .where(behind<'workflow_calls'>('tm_create', 'id', place))
        .orderBy('tm_create')
        .orderBy('id')
        .limit(limit)
        .execute(),
    );
    const last = rows.at(-1);
    if (!last) return { count: 0, next: null };
    const ids = rows.map((row) => row.id);
    const { numDeletedRows } = await this.#session.run((db) =>
      db.deleteFrom('workflow_calls').where('id', 'in', ids).where('tm_end', '<', old).executeTakeFirstOrThrow(),
    );
    return { count: Number(numDeletedRows), next: rows.length < limit ? null : `${last.tm_create}~${last.id}` };
  }

  async erase(customer_id: string, limit: number): Promise<number> {
    const pushes = await erasePushes(this.#session, customer_id, limit);
    const [calls, callables] = await this.#session.run((db) =>
      Promise.all([
        db.selectFrom('workflow_calls').select('id').where('customer_id', '=', customer_id).limit(limit).execute(),
        db.selectFrom('callables').select('flow_id').where('customer_id', '=', customer_id).limit(limit).execute(),
      ]),
    );
    const [ids, flows] = [calls.map((row) => row.id), callables.map((row) => row.flow_id)];
    if (ids.length > 0) await this.#session.run((db) => db.deleteFrom('workflow_calls').where('id', 'in', ids).execute());
    if (flows.length > 0) await this.#session.run((db) => db.deleteFrom('callables').where('flow_id', 'in', flows).execute());
    return pushes + ids.length + flows.length;
  }

  #insert(given: NewCall): Promise<boolean> {
    return this.#session.atomically(async (trx) => {
      await trx.insertInto('workflow_calls').values(callToRow(this.#session.dialect, given)).execute();
      await this.#insertActiveflow(trx, given.activeflow);
      return true;
    });
  }

  async #forgetKey(hash: string): Promise<boolean> {
    const { dialect } = this.#session;
    const { numUpdatedRows } = await this.#session.run((db) =>
      db
        .updateTable('workflow_calls')
        .set({ key_hash: null, body_hash: null })
        .where('key_hash', '=', hash)
        .where('tm_create', '<=', dialect.now(-KEY_MS))
        .executeTakeFirstOrThrow(),
    );
    return numUpdatedRows > 0n;
  }
}
