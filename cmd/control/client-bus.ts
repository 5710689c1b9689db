import type { Json } from '../../pkg/model/json.ts';
import { type Bus, BusError } from '../../pkg/service/ports.ts';
import {
  decodeResponse,
  encodeRequest,
  LostAnswer,
  type Method,
  type RpcAnswer,
  type RpcClient,
  type RpcOptions,
} from './client.ts';

/** Talks to the daemons that serve a request queue. */
export class BusRpcClient implements RpcClient {
  readonly #bus: Pick<Bus, 'request'>;
  readonly #queue: string;
  readonly #timeout_ms: number;

  constructor(bus: Pick<Bus, 'request'>, queue: string, timeout_ms: number) {
    this.#bus = bus;
    this.#queue = queue;
    this.#timeout_ms = timeout_ms;
  }

  async rpc(method: Method, uri: string, data?: Json, options?: RpcOptions): Promise<RpcAnswer> {
    const { request_id, body } = encodeRequest(method, uri, data, options);
    try {
      const answer = await this.#bus.request(this.#queue, body, { timeout_ms: this.#timeout_ms, message_id: request_id });
      return decodeResponse(Buffer.from(answer).toString('utf8'));
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      const why = error.code === 'unroutable' ? `no daemon has made the queue ${this.#queue} yet` : error.message;
      throw new LostAnswer(`no answer: ${why}`, error.code !== 'unroutable', { cause: error });
    }
  }
}
