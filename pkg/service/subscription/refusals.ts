import { toErrorData } from '../../engine/error-data.ts';
import { formatTime } from '../../engine/world.ts';
import { type FlowError, toFlowError } from '../../error/index.ts';
import { isSet } from '../../model/id.ts';
import { type Context, hashId } from '../context.ts';
import type { FanOut } from './fan-out.ts';
import { refused, type Subject } from './notification.ts';

/** What was refused, by what it would have become. */
export interface Refused extends Omit<Subject, 'activeflow_id'> {
  /** The id that the transaction would have had; absent: none was chosen yet. */
  readonly id?: string;
  /** By which a repeat is known: the same request again is the same refusal. Empty: by nothing. */
  readonly key: string;
}

/** Tells customers of transactions that were refused before they began. */
export class Refusals {
  readonly #context: Pick<Context, 'ids' | 'clock'>;
  readonly #fanOut: FanOut;

  constructor(context: Pick<Context, 'ids' | 'clock'>, fanOut: FanOut) {
    this.#context = context;
    this.#fanOut = fanOut;
  }

  /** Does the work; a refusal of it is told before it is thrown on. One that may succeed when it is repeated is none. */
  async around<T>(what: Refused, work: () => T | Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (thrown) {
      const error = toFlowError(thrown);
      if (!error.retryable && error.status !== 'INTERNAL') await this.#tell(what, error);
      throw thrown;
    }
  }

  async #tell({ id, key, ...subject }: Refused, error: FlowError): Promise<void> {
    if (!isSet(subject.customer_id)) return;
    const { ids, clock } = this.#context;
    const own = id !== undefined && isSet(id) && error.status !== 'ALREADY_EXISTS';
    const activeflow_id = own ? id : key === '' ? ids.next() : hashId(`refused/${key}`);
    await this.#fanOut.notify({ ...subject, activeflow_id }, refused(formatTime(clock.now()), toErrorData(error)));
  }
}
