import type { Activeflow } from '../../model/activeflow.ts';
import { type Context, hashId } from '../context.ts';

/** Cuts callers off from what they are playing, so that they ask for the next action now. */
export class Interrupter {
  readonly #context: Pick<Context, 'siblings' | 'log'>;

  constructor(context: Pick<Context, 'siblings' | 'log'>) {
    this.#context = context;
  }

  /** Where there is a call. `cause` names the interruption: the same again is dropped by the call service. */
  async interrupt(row: Activeflow, cause: string): Promise<void> {
    if (row.reference_type !== 'call') return;
    await this.#context.siblings.request({
      to: 'call',
      method: 'POST',
      uri: `/v1/calls/${row.reference_id}/action-next`,
      data: { force: true },
      request_id: hashId(`${row.id}/${cause}`),
      timeout_ms: 3_000,
    });
  }

  /**
   * Where the row says that the caller is to be cut off. It must be the newest row: a caller who has moved on by itself
   * must not be cut off from what it runs then. `again`: empty, or what makes it another time for the same action.
   * Never rejects: the row keeps its lease, and whoever finds it due tries again.
   */
  async cutOff(row: Activeflow, again = ''): Promise<void> {
    if (!row.state.cut_off) return;
    try {
      await this.interrupt(row, `cut_off/${row.state.step}/${again}`);
    } catch (error) {
      const fields = { activeflow_id: row.id, error: String(error) };
      this.#context.log.warn(fields, 'a caller was not cut off, and is told again when the lease is out');
    }
  }
}
