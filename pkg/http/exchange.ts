import type { Agent, Dispatcher } from 'undici';
import { type FlowError, unavailable } from '../error/index.ts';
import type { Prepared } from './safe-request.ts';

export interface ExchangeOptions {
  /** From here to the last byte of the answer. */
  readonly timeout_ms: number;
  /** The most that an answer's body may have. */
  readonly max_bytes: number;
  /** True: the answer's body is not kept. */
  readonly discard: boolean;
}

export interface Exchanged {
  readonly status: number;
  /** Names in lower case. undici has bounded them: 16 KiB in all. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/**
 * One request and its whole answer, by the dispatcher's own events: a stream and an abort signal for each would cost as
 * much as the request itself. Throws FlowError HTTP_TIMEOUT, HTTP_ANSWER_TOO_LARGE, and what the connection breaks with.
 */
export function exchange(agent: Agent, prepared: Prepared, options: ExchangeOptions): Promise<Exchanged> {
  const { timeout_ms, max_bytes, discard } = options;
  const { origin, path, host } = prepared.target;
  return new Promise((resolve, reject) => {
    let failure: Error | undefined;
    let control: Dispatcher.DispatchController | undefined;
    let status = 0;
    let headers: Exchanged['headers'] = {};
    const chunks: Uint8Array[] = [];
    let size = 0;
    /** The connection is broken off, so that nothing more of it is read. */
    const fail = (error: Error): void => {
      if (failure !== undefined) return;
      failure = error;
      clearTimeout(timer);
      reject(error);
      control?.abort(error);
    };
    const timer = setTimeout(() => fail(timedOut(host, timeout_ms)), timeout_ms);
    const { method, headers: asked, body } = prepared;
    agent.dispatch(
      { origin, path, method, headers: asked, body },
      {
        onRequestStart: (controller) => {
          control = controller;
          // It had waited for a connection until now.
          if (failure !== undefined) controller.abort(failure);
        },
        // Of several only the last is the answer: others only inform (1xx).
        onResponseStart: (_controller, answered, withHeaders) => {
          status = answered;
          headers = withHeaders;
        },
        onResponseData: (_controller, chunk) => {
          size += chunk.byteLength;
          if (size > max_bytes) fail(unavailable('HTTP_ANSWER_TOO_LARGE', `${host}: answered with more than ${max_bytes} bytes`));
          else if (!discard) chunks.push(chunk);
        },
        onResponseEnd: () => {
          clearTimeout(timer);
          resolve({ status, headers, body: chunks.length === 0 ? '' : Buffer.concat(chunks).toString('utf8') });
        },
        onResponseError: (_controller, error) => fail(error),
      },
    );
  });
}

export function timedOut(host: string, timeout_ms: number): FlowError {
  return unavailable('HTTP_TIMEOUT', `${host}: no complete answer within ${timeout_ms} ms`);
}
