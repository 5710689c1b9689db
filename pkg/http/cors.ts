import type { FastifyReply, FastifyRequest } from 'fastify';
import { FlowError, invalid } from '../error/index.ts';

const ALLOWED_HEADERS = 'authorization, content-type, idempotency-key, last-event-id';
const EXPOSED_HEADERS = 'retry-after, www-authenticate, allow';
const PREFLIGHT_AGE_S = 600;

/** Which pages of the web may call with a browser. Tokens go in a header, so no cookies are ever allowed. */
export class Cors {
  readonly #origins: ReadonlySet<string>;

  /** Comma list of origins (`https://app.example.com`), or `*`. Throws FlowError INVALID_ARGUMENT. */
  constructor(origins: string) {
    const listed = origins.split(',').map((origin) => origin.trim());
    this.#origins = new Set(listed.filter((origin) => origin !== '').map(normalise));
  }

  allows(origin: string): boolean {
    return this.#origins.has('*') || this.#origins.has(origin);
  }

  /** On the answer itself and not on fastify's reply, so that streams have them, too. */
  mark(request: FastifyRequest, reply: FastifyReply): void {
    if (this.#origins.size === 0) return;
    reply.raw.setHeader('vary', 'Origin');
    const { origin } = request.headers;
    if (origin === undefined || !this.allows(origin)) return;
    reply.raw.setHeader('access-control-allow-origin', origin);
    reply.raw.setHeader('access-control-expose-headers', EXPOSED_HEADERS);
  }

  /** Answers a browser that asks whether it may; throws PERMISSION_DENIED when not. */
  async preflight(request: FastifyRequest, reply: FastifyReply, methods: readonly string[]): Promise<void> {
    const origin = String(request.headers.origin);
    if (!this.allows(origin)) throw originRefused(origin);
    await reply
      .code(204)
      .header('access-control-allow-methods', methods.join(', '))
      .header('access-control-allow-headers', ALLOWED_HEADERS)
      .header('access-control-max-age', PREFLIGHT_AGE_S)
      .send();
  }
}

export function isPreflight({ method, headers }: FastifyRequest): boolean {
  return method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined;
}

export function originRefused(origin: string): FlowError {
  return new FlowError('PERMISSION_DENIED', 'ORIGIN_NOT_ALLOWED', 'pages of this origin may not call', [
    { field: 'origin', value: origin, expected: 'one of --http_cors_origins' },
  ]);
}

function normalise(entry: string): string {
  if (entry === '*') return entry;
  const url = URL.canParse(entry) ? new URL(entry) : undefined;
  const web = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (url && web && `${url.origin}/` === url.href) return url.origin;
  throw invalid('BAD_FLAG', 'http_cors_origins', entry, 'origins such as https://app.example.com, comma separated, or *');
}
