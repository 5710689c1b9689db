import { substituteText } from '../../engine/substitute.ts';
import { notFound } from '../../error/index.ts';
import type { Activeflow } from '../../model/activeflow.ts';
import type { JsonObject } from '../../model/json.ts';
import { renderText } from '../../model/variable.ts';
import type { Context } from '../context.ts';
import { readHistory } from '../history/read.ts';
import type { Lists } from '../lists.ts';
import { wholePage } from '../page.ts';
import { type ActiveflowFilter, isReadable, type Page } from '../ports.ts';
import { orUnreadable } from '../unreadable.ts';
import { traceOf, viewActiveflow, viewColumns, viewTrace } from './view.ts';

/** What can be read of activeflows, always from the database. */
export class QueryService {
  readonly #context: Context;
  readonly #lists: Lists;

  constructor(context: Context, lists: Lists) {
    this.#context = context;
    this.#lists = lists;
  }

  async get(id: string): Promise<JsonObject> {
    return viewActiveflow(await this.#read(id), this.#lists, this.#context.store.activeflows);
  }

  async list(filter: ActiveflowFilter, page: Page): Promise<JsonObject[]> {
    const { activeflows } = this.#context.store;
    const rows = await wholePage((part) => activeflows.list(filter, part), page);
    return Promise.all(
      rows.map((row) =>
        orUnreadable(this.#context, { of: 'activeflow', head: viewColumns(row) }, async () => {
          if (!isReadable(row)) throw row.unreadable;
          return viewActiveflow(row, this.#lists, activeflows);
        }),
      ),
    );
  }

  async trace(id: string): Promise<JsonObject[]> {
    return viewTrace(await traceOf(await this.#read(id), this.#context.store.activeflows));
  }

  /** What is needed to decide all of it again. Throws HISTORY_NOT_KEPT. */
  async history(id: string): Promise<JsonObject> {
    return readHistory(await this.#read(id), this.#context.store, this.#lists);
  }

  /** Variables as the wire shows them: text. */
  async variables(id: string): Promise<JsonObject> {
    const { variables } = await this.#read(id);
    return { id, variables: Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, renderText(value)])) };
  }

  async substitute(id: string, text: string): Promise<JsonObject> {
    return { data: substituteText(text, (await this.#read(id)).variables) };
  }

  async #read(id: string): Promise<Activeflow> {
    const row = await this.#context.store.activeflows.get(id);
    if (!row) throw notFound('activeflow', id);
    return row;
  }
}
