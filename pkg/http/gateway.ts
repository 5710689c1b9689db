/**
 * The HTTP gateway: fastify under a table of routes. A request goes through origin, user and permission before its
 * body is read, then through the route's schemas, then to its handler. With `--embedded` it takes request envelopes,
 * too: POST /rpc, answered with the response envelope.
 */
import { METHODS } from 'node:http';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { FlowError } from '../error/index.ts';
import type { User } from '../model/user.ts';
import type { Response } from '../rpc/envelope.ts';
import type { Log, Meter } from '../service/ports.ts';
import { Authenticator, type JwtOptions } from './authenticator.ts';
import { Cors, isPreflight, originRefused } from './cors.ts';
import { Drain } from './drain.ts';
import { Endpoint } from './endpoint.ts';
import { answerSocket, failureOf } from './failures.ts';
import { type ListenAddress, listen } from './listen.ts';
import { openApiRoute } from './openapi.ts';
import type { GatewayRoute } from './route.ts';
import { Streams } from './streams.ts';
import { Traffic } from './traffic.ts';

export interface GatewayOptions {
  readonly routes: readonly GatewayRoute[];
  /** Answers a request envelope; absent: `/rpc` is not served. Never on an address that others reach. */
  readonly rpc?: (envelope: string) => Promise<Response>;
  readonly jwt: JwtOptions;
  /** Empty: not known. */
  readonly public_url: string;
  readonly cors_origins: string;
  /** Empty: none. `true`: whoever connects; else the addresses and CIDRs of proxies, comma separated. */
  readonly trust_proxy: string;
  readonly message_bytes: number;
  /** Requests under way at the same time, without streams. */
  readonly capacity: number;
  /** How long streams may take to end by themselves when it closes; default 2,000. */
  readonly stream_grace_ms?: number;
  readonly meter: Meter;
  readonly log: Log;
}

export interface Gateway {
  readonly address: ListenAddress;
  close(): Promise<void>;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** As the table has it, such as `/v1/workflows/{id}`. */
    pattern?: string;
    /** Of the entry that answers for all methods that a path does not have: those that it has. */
    methods?: readonly string[];
  }
  interface FastifyRequest {
    user: User | undefined;
  }
}

/** A request must have come in whole by then: slow senders hold nothing. */
const REQUEST_MS = 30_000;
const STREAM_GRACE_MS = 2_000;
const LONGEST_PATH_PART = 512;

export async function serveGateway(address: ListenAddress, options: GatewayOptions): Promise<Gateway> {
  const app = create(options);
  const streams = new Streams();
  const cors = new Cors(options.cors_origins);
  const traffic = new Traffic(options.capacity, options.meter);
  const authenticator = new Authenticator(options.jwt, options.log);
  addHooks(app, cors, traffic);
  addFailures(app, options);
  const routes = [...options.routes, openApiRoute(options.routes, options.public_url)];
  for (const route of routes) addRoute(app, route, new Endpoint(route, { authenticator, streams, traffic }));
  for (const path of new Set(routes.map((route) => route.path))) addOtherMethods(app, path, routes);
  if (options.rpc) addRpc(app, options.rpc, cors);
  if (routes.some((route) => route.upgrade))
    streams.takeUpgrades(app.server, (request, response) => app.routing(request, response));
  const drain = new Drain(app.server);
  const bound = await listen(app, address);
  const close = async (): Promise<void> => {
    const closed = app.close(); // takes no more, while streams are told
    await Promise.all([streams.close(options.stream_grace_ms ?? STREAM_GRACE_MS), drain.during(closed)]);
  };
  return { address: bound, close };
}

function create(options: GatewayOptions): FastifyInstance {
  const app = fastify({
    bodyLimit: options.message_bytes,
    forceCloseConnections: 'idle',
    // What still comes by a connection that is open is answered while it drains.
    return503OnClosing: false,
    exposeHeadRoutes: false,
    requestTimeout: REQUEST_MS,
    trustProxy: trustedProxies(options.trust_proxy),
    routerOptions: { maxParamLength: LONGEST_PATH_PART },
    frameworkErrors: (thrown, _request, reply) => void sendFailure(reply, thrown),
    clientErrorHandler: (error, socket) => {
      const code = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
      answerSocket(socket, code, 'the request is no HTTP that can be read');
    },
  });
  for (const method of METHODS) {
    if (!app.supportedMethods.includes(method) && method !== 'CONNECT') app.addHttpMethod(method);
  }
  app.decorateRequest('user', undefined);
  app.removeAllContentTypeParsers();
  // The very bytes: signatures are made over them.
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  return app;
}

function trustedProxies(flag: string): boolean | string {
  return flag === '' || flag === 'false' ? false : flag === 'true' ? true : flag;
}

function addHooks(app: FastifyInstance, cors: Cors, traffic: Traffic): void {
  app.addHook('onRequest', async (request, reply) => {
    cors.mark(request, reply);
    reply.raw.setHeader('x-content-type-options', 'nosniff');
    const { methods } = request.routeOptions.config;
    if (methods && isPreflight(request)) await cors.preflight(request, reply, methods);
    else traffic.enter(request);
  });
  app.addHook('onResponse', async (request, reply) => traffic.done(request, reply));
}

function addFailures(app: FastifyInstance, { log }: GatewayOptions): void {
  app.setNotFoundHandler((request) => {
    const path = request.url.split('?', 1)[0];
    throw new FlowError('NOT_FOUND', 'ROUTE_NOT_FOUND', `no route ${request.method} ${path}`, [{ field: 'path', value: path }]);
  });
  app.setErrorHandler(async (thrown, request, reply) => {
    const { error } = failureOf(thrown);
    // The pattern and no message: paths, queries and values may hold what only the caller may know.
    const fields = { route: request.routeOptions.config.pattern, method: request.method, reason: error.reason };
    if (error.status === 'INTERNAL') log.error({ ...fields, error: thrown }, 'a request over HTTP failed inside');
    else log.debug({ ...fields, status: error.status }, 'a request over HTTP was refused');
    await sendFailure(reply, thrown);
  });
}

async function sendFailure(reply: FastifyReply, thrown: unknown): Promise<void> {
  const { code, headers, body } = failureOf(thrown);
  await reply.code(code).headers(headers).type('application/json').send(JSON.stringify(body));
}

function addRoute(app: FastifyInstance, route: GatewayRoute, endpoint: Endpoint): void {
  app.route({
    method: route.method,
    url: fastifyPath(route.path),
    config: { pattern: route.path },
    ...(route.body_bytes === undefined ? {} : { bodyLimit: route.body_bytes }),
    onRequest: (request) => endpoint.admit(request),
    handler: (request, reply) => endpoint.serve(request, reply),
  });
}

/** 405 for the methods that a path does not have, and the place where preflights arrive. */
function addOtherMethods(app: FastifyInstance, path: string, routes: readonly GatewayRoute[]): void {
  const methods: string[] = routes.filter((route) => route.path === path).map((route) => route.method);
  const allowed = methods.join(', ');
  app.route({
    method: app.supportedMethods.filter((method) => !methods.includes(method)),
    url: fastifyPath(path),
    config: { pattern: path, methods },
    onRequest: async (request, reply) => {
      if (reply.sent) return;
      reply.header('allow', allowed);
      throw new FlowError('METHOD_NOT_ALLOWED', 'METHOD_NOT_ALLOWED', `${path} takes ${allowed}, not ${request.method}`, [
        { field: 'method', value: request.method, expected: allowed },
      ]);
    },
    handler: async () => undefined,
  });
}

function fastifyPath(path: string): string {
  return path.replace(/\{(\w+)\}/g, ':$1');
}

/** A page of the web can post to this machine's own address without asking; only pages that are named may. */
function addRpc(app: FastifyInstance, rpc: (envelope: string) => Promise<Response>, cors: Cors): void {
  app.post('/rpc', { config: { pattern: '/rpc' } }, async (request, reply) => {
    const { origin } = request.headers;
    if (origin !== undefined && !cors.allows(origin)) throw originRefused(origin);
    const response = await rpc(Buffer.isBuffer(request.body) ? request.body.toString() : '');
    return await reply.type('application/json').send(JSON.stringify(response));
  });
}
