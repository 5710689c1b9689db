/**
 * What a route of the gateway is: one entry that says everything about it. The gateway checks requests, and makes
 * the OpenAPI document, from the same schemas.
 */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Static, type TSchema, type TUnsafe, Type } from 'typebox';
import type { Json } from '../model/json.ts';
import type { User } from '../model/user.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/**
 * `public`: anybody, and no token is looked at. `user`: who brings a valid token. An object: a user who has at least
 * one of these roles or permissions.
 */
export type Access = 'public' | 'user' | { readonly roles?: readonly string[]; readonly permissions?: readonly string[] };

/** Handed over after the answer to the request: the head is written by whoever takes it. */
export interface StreamAnswer {
  /** Writes head and body itself, as server-sent events are. `closing` is aborted when the daemon stops: end it then. */
  stream(response: ServerResponse, closing: AbortSignal): void;
}

export interface UpgradeAnswer {
  /** Takes the socket, as WebSockets need it. `closing` is aborted when the daemon stops: close it then. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, closing: AbortSignal): void;
}

export interface PlainAnswer {
  readonly status: number;
  readonly body?: Json;
  readonly headers?: Readonly<Record<string, string>>;
}

export type RouteAnswer = PlainAnswer | StreamAnswer | UpgradeAnswer;

/** A checked request. Parts without a schema are as they came. */
export interface RouteCall<Params = unknown, Query = unknown, Headers = unknown, Body = unknown, Caller = User | undefined> {
  readonly params: Params;
  readonly query: Query;
  /** All of them, names in lower case. */
  readonly headers: Headers & IncomingHttpHeaders;
  /** Parsed JSON, `{}` when nothing was sent; undefined without a schema. */
  readonly body: Body;
  /** The body's very bytes. */
  readonly raw: Buffer;
  readonly user: Caller;
  readonly method: string;
  /** Of the caller; of the one before the proxy with `--http_trust_proxy`. */
  readonly ip: string;
  /** True when the caller wants a WebSocket and the route has `upgrade`. */
  readonly upgrade: boolean;
}

type Names = Readonly<Record<string, string>>;
type Query = Readonly<Record<string, string | string[]>>;

export interface RouteDefinition<
  Params extends TSchema = TUnsafe<Names>,
  Queries extends TSchema = TUnsafe<Query>,
  Headers extends TSchema = TUnsafe<object>,
  Body extends TSchema = TUnsafe<undefined>,
  Allowed extends Access = Access,
> {
  readonly method: Method;
  /** Such as `/v1/workflows/{id}/call`; also the name under which it is measured. */
  readonly path: string;
  /** One line for the OpenAPI document. */
  readonly summary: string;
  readonly access: Allowed;
  /** Schemas of objects. Texts that should be numbers or flags are read as such, but not in a body. */
  readonly params?: Params;
  readonly query?: Queries;
  /** Names in lower case. */
  readonly headers?: Headers;
  /** Of a JSON body. Without one the body is only in `raw`. */
  readonly body?: Body;
  /** What a body that is no JSON may be, for the OpenAPI document. */
  readonly raw_body?: string;
  /** The most that a body may have; default `--limit_message_bytes`. */
  readonly body_bytes?: number;
  /** The token may come as `?access_token=`, for browsers' EventSource and WebSocket, which cannot set a header. */
  readonly token_in_query?: boolean;
  /** It also takes requests for another protocol, such as WebSocket. */
  readonly upgrade?: boolean;
  /** By status; errors need not be named. */
  readonly answers: Readonly<Record<number, { readonly description: string; readonly body?: TSchema }>>;
  handler(
    call: RouteCall<Static<Params>, Static<Queries>, Static<Headers>, Static<Body>, Allowed extends 'public' ? undefined : User>,
  ): Promise<RouteAnswer>;
}

/** A route whose types are forgotten, as a table holds it. */
export type GatewayRoute = RouteDefinition<TSchema, TSchema, TSchema, TSchema, Access>;

/** Keeps what a route reads typed inside its handler, and forgets it outside. */
export function gatewayRoute<
  Params extends TSchema = TUnsafe<Names>,
  Queries extends TSchema = TUnsafe<Query>,
  Headers extends TSchema = TUnsafe<object>,
  Body extends TSchema = TUnsafe<undefined>,
  const Allowed extends Access = Access,
>(definition: RouteDefinition<Params, Queries, Headers, Body, Allowed>): GatewayRoute {
  return definition as unknown as GatewayRoute;
}

/** A UUID in either case; handlers get it in lower case when it is a part of the path. */
export function uuid(description: string) {
  return Type.String({ format: 'uuid', description });
}
