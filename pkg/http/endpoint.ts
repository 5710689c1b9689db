import type { FastifyReply, FastifyRequest } from 'fastify';
import type { TSchema } from 'typebox';
import { deeperThan } from '../action/pointer.ts';
import { FlowError, invalid } from '../error/index.ts';
import { type Authenticator, authorize } from './authenticator.ts';
import type { GatewayRoute, RouteAnswer, RouteCall } from './route.ts';
import type { Streams } from './streams.ts';
import type { Traffic } from './traffic.ts';
import { type Check, compile, type Part } from './validation.ts';

const DEEPEST_BODY = 100;

interface Shared {
  readonly authenticator: Authenticator;
  readonly streams: Streams;
  readonly traffic: Traffic;
}

/** One route at work: whom it admits, what it reads, how its answer goes out. */
export class Endpoint {
  readonly #route: GatewayRoute;
  readonly #shared: Shared;
  readonly #checks: Readonly<Record<Part, Check | undefined>>;
  readonly #ids: readonly string[];

  constructor(route: GatewayRoute, shared: Shared) {
    this.#route = route;
    this.#shared = shared;
    const { params, query, headers, body } = route;
    const check = (schema: TSchema | undefined, part: Part) => (schema === undefined ? undefined : compile(schema, part));
    this.#checks = {
      params: check(params, 'params'),
      query: check(query, 'query'),
      headers: check(headers, 'headers'),
      body: check(body, 'body'),
    };
    this.#ids = uuidsOf(params);
  }

  /** Before the body is read. Throws FlowError. */
  async admit(request: FastifyRequest): Promise<void> {
    const { access, token_in_query } = this.#route;
    if (access === 'public') return;
    request.user = await this.#shared.authenticator.user(tokenOf(request, token_in_query ?? false));
    authorize(request.user, access);
  }

  async serve(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const answer = await this.#route.handler(this.#read(request));
    if (!('status' in answer)) {
      this.#handOver(answer, request, reply);
      return;
    }
    const { status, body, headers = {} } = answer;
    // What a user may see is nobody else's to keep.
    reply.code(status).header('cache-control', 'no-store').headers(headers);
    if (body === undefined) await reply.send();
    else await reply.type('application/json').send(JSON.stringify(body));
  }

  #read(request: FastifyRequest): RouteCall {
    const { token_in_query, body: schema, upgrade } = this.#route;
    const params = { ...(request.params as Record<string, unknown>) };
    const query = { ...(request.query as Record<string, unknown>) };
    const headers = { ...request.headers };
    if (token_in_query) delete query.access_token;
    const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    this.#checks.params?.(params);
    this.#checks.query?.(query);
    this.#checks.headers?.(headers);
    const body = schema === undefined ? undefined : parse(raw);
    this.#checks.body?.(body);
    for (const name of this.#ids) params[name] = String(params[name]).toLowerCase();
    const { user, method, ip } = request;
    const wants = upgrade === true && this.#shared.streams.upgradeOf(request.raw) !== undefined;
    return { params, query, headers, body, raw, user, method, ip, upgrade: wants };
  }

  #handOver(answer: Exclude<RouteAnswer, { status: number }>, request: FastifyRequest, reply: FastifyReply): void {
    const { streams, traffic } = this.#shared;
    const upgrade = streams.upgradeOf(request.raw);
    if ('upgrade' in answer && !upgrade) {
      throw new FlowError('INVALID_ARGUMENT', 'UPGRADE_EXPECTED', 'expected a request with Upgrade: websocket');
    }
    reply.hijack();
    traffic.becomesStream(request, 'stream' in answer ? 200 : 101);
    streams.track(request.raw.socket);
    if ('stream' in answer) answer.stream(reply.raw, streams.closing);
    else {
      reply.raw.detachSocket(request.raw.socket);
      answer.upgrade(request.raw, request.raw.socket, upgrade?.head ?? Buffer.alloc(0), streams.closing);
    }
  }
}

/** The header goes before the query; undefined: neither is there. */
function tokenOf({ headers, query }: FastifyRequest, inQuery: boolean): string | undefined {
  const bearer = /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  if (bearer !== undefined || !inQuery) return bearer;
  const given: unknown = (query as Record<string, unknown>).access_token;
  return typeof given === 'string' && given !== '' ? given : undefined;
}

function uuidsOf(params: TSchema | undefined): readonly string[] {
  const { properties = {} } = (params ?? {}) as { properties?: Record<string, { format?: string }> };
  return Object.keys(properties).filter((name) => properties[name]?.format === 'uuid');
}

/** `{}` for nothing, so that what is missing is named. */
function parse(raw: Buffer): unknown {
  if (raw.length === 0) return {};
  const body = parseJson(raw);
  // Everything that walks a body may then recurse.
  if (deeperThan(body, DEEPEST_BODY)) throw invalid('TOO_DEEP', 'body', 'deeper', `at most ${DEEPEST_BODY} levels`);
  return body;
}

function parseJson(raw: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(raw));
  } catch {
    throw new FlowError('INVALID_ARGUMENT', 'NOT_JSON', 'body: expected JSON in UTF-8', [
      { field: 'body', value: raw.subarray(0, 60).toString(), expected: 'JSON in UTF-8' },
    ]);
  }
}
