import type { Transaction } from 'kysely';
import type { Activeflow } from '../model/activeflow.ts';
import type { CallSettlement } from '../service/ports.ts';
import type { Dialect } from './dialect.ts';
import { writeEvents } from './event.ts';
import { appendPush } from './push.ts';
import type { Schema } from './schema.ts';
import { callToRow } from './workflow-row.ts';

/**
 * Answers a workflow call, within the transaction of what answered it. One that is answered already is left as it is,
 * and nothing else is written: there is one response to a call.
 */
export async function settleCall(
  trx: Transaction<Schema>,
  dialect: Dialect,
  settlement: CallSettlement,
  insertActiveflow: (activeflow: Activeflow) => Promise<void>,
): Promise<void> {
  const { call_id, end, answer, delivery, event, next, push } = settlement;
  const { numUpdatedRows } = await trx
    .updateTable('workflow_calls')
    .set({
      state: end,
      status: answer.status,
      code: answer.code,
      response: JSON.stringify(answer.data),
      delivery: JSON.stringify(delivery),
      tm_end: dialect.time(settlement.tm_end),
    })
    .where('id', '=', call_id)
    .where('tm_end', 'is', null)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows === 0n) return;
  if (next) {
    await trx.insertInto('workflow_calls').values(callToRow(dialect, next)).execute();
    await insertActiveflow(next.activeflow);
  }
  await writeEvents(trx, dialect, [event]);
  // Last: everybody who writes to this channel waits from here to the commit.
  if (push) await appendPush(trx, dialect, push);
}
