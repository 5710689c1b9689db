import { formatTime } from '../../engine/world.ts';
import { isUuid, NIL } from '../../model/id.ts';
import type { JsonObject } from '../../model/json.ts';
import type { Context } from '../context.ts';
import type { FanOut } from './fan-out.ts';
import { caseChanged, NO_SUBJECT, type Subject } from './notification.ts';

/** Activeflows of one reference that are looked at for the one that made a case. */
const LOOKED_AT = 20;

/** Tells of what contact-manager says of a case; again the same: nothing. */
export class CaseService {
  readonly #context: Context;
  readonly #fanOut: FanOut;

  constructor(context: Context, fanOut: FanOut) {
    this.#context = context;
    this.#fanOut = fanOut;
  }

  async changed(data: JsonObject): Promise<void> {
    const { id, customer_id, status, tm_update } = data;
    if (!isUuid(id) || !isUuid(customer_id) || typeof status !== 'string') return;
    const tm = typeof tm_update === 'string' && !Number.isNaN(Date.parse(tm_update)) ? tm_update : undefined;
    const payload = {
      caseId: id,
      event: 'STATUS_CHANGED',
      status,
      ...(typeof data.name === 'string' ? { name: data.name } : {}),
    };
    const key = `case-${id}-${status}-${tm ?? ''}`;
    const subject = { ...(await this.#subject(id, data)), customer_id };
    // Its own time is of another clock; who subscribed meanwhile is told of what comes in now.
    await this.#fanOut.notify(subject, caseChanged(key, formatTime(this.#context.clock.now()), payload));
  }

  /** The activeflow that made it keeps its id in a variable; the case knows only the call or conversation of that one. */
  async #subject(id: string, { reference_id }: JsonObject): Promise<Omit<Subject, 'customer_id'>> {
    if (!isUuid(reference_id) || reference_id === NIL) return NO_SUBJECT;
    const rows = await this.#context.store.activeflows.list({ reference_id }, { size: LOOKED_AT });
    const row = rows.find(({ variables }) => variables.contact_case_id === id) ?? rows[0];
    return row ? { flow_id: row.flow_id, activeflow_id: row.id, reference_id } : { ...NO_SUBJECT, reference_id };
  }
}
