import fastify from 'fastify';
import { FlowError } from '../error/index.ts';
import type { Response } from '../rpc/envelope.ts';
import { errorResponse } from '../rpc/envelope.ts';
import { type ListenAddress, listen } from './listen.ts';

export interface GatewayOptions {
  /** Answers a request envelope; absent: `/rpc` is not served. Never on an address that others reach. */
  readonly rpc?: (envelope: string) => Promise<Response>;
  readonly message_bytes: number;
}

export interface Gateway {
  readonly address: ListenAddress;
  close(): Promise<void>;
}

/** The HTTP door. With `--embedded` it takes request envelopes: POST /rpc, answered with the response envelope. */
export async function serveGateway(address: ListenAddress, options: GatewayOptions): Promise<Gateway> {
  const app = fastify({ bodyLimit: options.message_bytes, forceCloseConnections: 'idle' });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  const { rpc } = options;
  if (rpc) {
    app.post('/rpc', async (request, reply) => {
      const response = await rpc(typeof request.body === 'string' ? request.body : '');
      return await reply.type('application/json').send(JSON.stringify(response));
    });
  }
  app.setNotFoundHandler(async (request, reply) => {
    const error = new FlowError('NOT_FOUND', 'ROUTE_NOT_FOUND', `no route ${request.method} ${request.url.split('?')[0]}`);
    return await reply.code(404).send(errorResponse(error).data);
  });
  app.setErrorHandler(async (thrown: { statusCode?: number; message: string }, _request, reply) => {
    const code = thrown.statusCode ?? 500;
    const status = code === 413 ? 'RESOURCE_EXHAUSTED' : code < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL';
    const error = new FlowError(
      status,
      code === 413 ? 'MESSAGE_TOO_LARGE' : 'BAD_HTTP_REQUEST',
      code < 500 ? thrown.message : 'internal error',
    );
    return await reply.code(code).send(errorResponse(error).data);
  });
  const bound = await listen(app, address);
  return { address: bound, close: () => app.close() };
}
