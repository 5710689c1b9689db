import { formatTime } from '../../engine/world.ts';
import { isUuid, NIL } from '../../model/id.ts';
import type { JsonObject } from '../../model/json.ts';
import type { Context } from '../context.ts';
import { isReadable } from '../ports.ts';
import type { FanOut } from './fan-out.ts';
import { caseChanged, NO_SUBJECT, type Subject } from './notification.ts';

/** Activeflows of one reference that are looked at for the one that made a case. */
const LOOKED_AT = 20;
const STATUS = /^.{1,255}$/;

/** Tells of what contact-manager says of a case; again the same: nothing. */
export class CaseService {
  readonly #context: Context;
  readonly #fanOut: FanOut;

  constructor(context: Context, fanOut: FanOut) {
    this.#context = context;
    this.#fanOut = fanOut;
  }

  /** False: it does not say whose case it is, which one, or what its status is, and nobody is told. */
  async changed(data: JsonObject): Promise<boolean> {
    const { id = data.case_id, customer_id, status, tm_update } = data;
    if (!isUuid(id) || !isUuid(customer_id) || typeof status !== 'string' || !STATUS.test(status)) return false;
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
    return true;
  }

  /** The activeflow that made it keeps its id in a variable; the case knows only the call or conversation of that one. */
  async #subject(id: string, { reference_id }: JsonObject): Promise<Omit<Subject, 'customer_id'>> {
    if (!isUuid(reference_id) || reference_id === NIL) return NO_SUBJECT;
    const rows = await this.#context.store.activeflows.list({ reference_id }, { size: LOOKED_AT });
    const row = rows.filter(isReadable).find(({ variables }) => variables.contact_case_id === id) ?? rows[0];
    return row ? { flow_id: row.flow_id, activeflow_id: row.id, reference_id } : { ...NO_SUBJECT, reference_id };
  }
}
