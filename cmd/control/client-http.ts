import type { Json } from '../../pkg/model/json.ts';
import {
  decodeResponse,
  encodeRequest,
  LostAnswer,
  type Method,
  type RpcAnswer,
  type RpcClient,
  type RpcOptions,
} from './client.ts';

/** Talks to an embedded daemon: an envelope to `POST <base>/rpc` is answered with an envelope. */
export class HttpRpcClient implements RpcClient {
  readonly #url: URL;
  readonly #timeout_ms: number;

  constructor(base: string, timeout_ms: number) {
    this.#url = new URL('rpc', base.endsWith('/') ? base : `${base}/`);
    this.#timeout_ms = timeout_ms;
  }

  async rpc(method: Method, uri: string, data?: Json, options?: RpcOptions): Promise<RpcAnswer> {
    const { body } = encodeRequest(method, uri, data, options);
    let text: string;
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        signal: AbortSignal.timeout(this.#timeout_ms),
      });
      text = await response.text();
    } catch (error) {
      const cause = causeOf(error);
      const reached = !(
        cause instanceof Error &&
        'code' in cause &&
        (cause.code === 'ECONNREFUSED' || cause.code === 'ENOTFOUND')
      );
      throw new LostAnswer(
        `no answer from ${this.#url.origin}: ${cause instanceof Error ? cause.message : String(cause)}`,
        reached,
        {
          cause: error,
        },
      );
    }
    return decodeResponse(text);
  }
}

/** fetch says only "fetch failed"; what failed is in its cause, and in that one's parts when several addresses were tried. */
function causeOf(error: unknown): unknown {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return cause instanceof AggregateError ? cause.errors[0] : cause;
}
