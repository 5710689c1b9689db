import type { Transaction } from 'kysely';
import type { Flow, FlowVersion } from '../model/flow.ts';
import type { FlowChange, FlowFilter, FlowStore, Page, StoredAnswer } from '../service/ports.ts';
import { readAnswer, writeAnswer } from './answer.ts';
import { writeEvents } from './event.ts';
import { flowFromRow, flowToRow } from './flow-row.ts';
import { after } from './page.ts';
import type { FlowRow, Schema } from './schema.ts';
import type { Session } from './session.ts';

/** Named one by one: a column that a later release adds must not disturb this one. */
const COLUMNS = [
  'id',
  'customer_id',
  'user_id',
  'type',
  'name',
  'detail',
  'persist',
  'webhook_uri',
  'list',
  'version',
  'revision',
  'on_complete_flow_id',
  'fallback_flow_id',
  'deadline_ms',
  'direct_id',
  'direct_hash',
  'warnings',
  'tm_create',
  'tm_update',
  'tm_delete',
  'tm_expire',
] as const satisfies readonly (keyof FlowRow)[];

export class SqlFlowStore implements FlowStore {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  async get(id: string): Promise<Flow | undefined> {
    const row = await this.#session.run((db) => db.selectFrom('flows').select(COLUMNS).where('id', '=', id).executeTakeFirst());
    return row && flowFromRow(this.#session.dialect, row);
  }

  async list(filter: FlowFilter, page: Page): Promise<Flow[]> {
    const { dialect } = this.#session;
    const rows = await this.#session.run((db) => {
      let query = db.selectFrom('flows').select(COLUMNS).where('persist', '=', 1);
      if (filter.customer_id !== undefined) query = query.where('customer_id', '=', filter.customer_id);
      if (filter.deleted !== undefined) query = query.where('tm_delete', filter.deleted ? 'is not' : 'is', null);
      if (filter.type !== undefined) query = query.where('type', '=', filter.type);
      if (filter.name !== undefined) query = query.where('name', '=', filter.name);
      if (page.after) query = query.where(after<'flows'>(dialect, page.after));
      return query.orderBy('tm_create', 'desc').orderBy('id', 'desc').limit(page.size).execute();
    });
    return rows.map((row) => flowFromRow(dialect, row));
  }

  async count(customer_id: string): Promise<number> {
    const row = await this.#session.run((db) =>
      db
        .selectFrom('flows')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('customer_id', '=', customer_id)
        .where('persist', '=', 1)
        .where('tm_delete', 'is', null)
        .executeTakeFirstOrThrow(),
    );
    return row.count;
  }

  async versions(flow_id: string): Promise<FlowVersion[]> {
    const rows = await this.#session.run((db) =>
      db
        .selectFrom('flow_versions')
        .select(['flow_id', 'version', 'list', 'tm_create'])
        .where('flow_id', '=', flow_id)
        .orderBy('version')
        .execute(),
    );
    return rows.map((row) => ({ ...row, tm_create: this.#session.dialect.rfc3339(row.tm_create) }));
  }

  commit(change: FlowChange): Promise<boolean> {
    return this.#session.atomically(async (trx) => {
      // First the row that others compete for: who loses has written nothing else.
      if (!(await this.#writeHead(trx, change))) return false;
      if (change.new_version) await this.#writeVersion(trx, change.flow);
      await writeEvents(trx, this.#session.dialect, change.events);
      if (change.answer) await writeAnswer(trx, this.#session, change.answer);
      return true;
    });
  }

  answer(key: string): Promise<StoredAnswer | undefined> {
    return readAnswer(this.#session, key);
  }

  async ofCustomer(customer_id: string, limit: number): Promise<string[]> {
    const rows = await this.#session.run((db) =>
      db
        .selectFrom('flows')
        .select('id')
        .where('customer_id', '=', customer_id)
        .where('tm_delete', 'is', null)
        .limit(limit)
        .execute(),
    );
    return rows.map((row) => row.id);
  }

  async #writeHead(trx: Transaction<Schema>, { flow, from }: FlowChange): Promise<boolean> {
    const row = flowToRow(this.#session.dialect, flow);
    if (from === undefined) {
      await trx.insertInto('flows').values(row).execute();
      return true;
    }
    const { id, tm_create, ...changes } = row;
    const result = await trx
      .updateTable('flows')
      .set(changes)
      .where('id', '=', id)
      .where('revision', '=', from)
      .executeTakeFirst();
    return result.numUpdatedRows > 0n;
  }

  async #writeVersion(trx: Transaction<Schema>, flow: Flow): Promise<void> {
    const tm_create = this.#session.dialect.time(flow.tm_update ?? flow.tm_create);
    await trx
      .insertInto('flow_versions')
      .values({ flow_id: flow.id, version: flow.version, list: flow.list, tm_create })
      .execute();
  }
}
