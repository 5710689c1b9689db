/** Whatever is thrown, as an answer of the gateway: in the one form that errors of the service have. */
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { FlowError, toFlowError } from '../error/index.ts';
import type { Json } from '../model/json.ts';
import { errorResponse, hideInternal } from '../rpc/envelope.ts';

export interface Failure {
  readonly error: FlowError;
  readonly code: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Json;
}

export function failureOf(thrown: unknown): Failure {
  const refusal = refusalOf(thrown);
  const error = refusal?.error ?? toFlowError(thrown);
  const body = errorResponse(hideInternal(error)).data ?? null;
  return { error, code: refusal?.code ?? error.code, headers: headersOf(error), body };
}

/** What fastify and node refuse before any of our code sees it, by their own code. */
function refusalOf(thrown: unknown): { error: FlowError; code: number } | undefined {
  if (!(thrown instanceof Error) || thrown instanceof FlowError) return undefined;
  const code: unknown = Reflect.get(thrown, 'statusCode');
  if (typeof code !== 'number' || code < 400 || code > 499) return undefined;
  if (code !== 413) return { error: unreadable(thrown.message), code };
  return { error: new FlowError('PAYLOAD_TOO_LARGE', 'MESSAGE_TOO_LARGE', thrown.message, [{ field: 'body' }]), code };
}

function unreadable(message: string): FlowError {
  return new FlowError('INVALID_ARGUMENT', 'BAD_HTTP_REQUEST', message);
}

function headersOf(error: FlowError): Record<string, string> {
  if (error.status === 'UNAUTHENTICATED') {
    const bad = error.reason === 'TOKEN_MISSING' ? '' : `, error="invalid_token", error_description="${error.message}"`;
    return { 'www-authenticate': `Bearer realm="flow-manager"${bad.replace(/[^\x20-\x7e]/g, '?')}` };
  }
  if (error.status === 'METHOD_NOT_ALLOWED') return { allow: error.details[0]?.expected ?? '' };
  return error.retryable ? { 'retry-after': '1' } : {};
}

/** For a connection that has no request yet that could be answered. */
export function answerSocket(socket: Duplex, code: number, message: string): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(failureOf(unreadable(message)).body);
  const head = `HTTP/1.1 ${code} ${STATUS_CODES[code] ?? ''}\r\nContent-Type: application/json\r\nConnection: close\r\n`;
  socket.end(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}
