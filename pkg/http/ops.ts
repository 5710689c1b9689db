/**
 * The port for operators: metrics for Prometheus, `/healthz` for "restart me", `/readyz` for "send me work".
 * Health says only that this process still turns: a restart does not bring a lost server back.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type ListenAddress, listen, listenable } from './listen.ts';
import { Readiness, type ReadinessOptions, type ReadinessState } from './readiness.ts';

export interface OpsOptions extends ReadinessOptions {
  /** Path of the metrics, such as `/metrics`. */
  readonly endpoint: string;
  readonly metrics: { readonly contentType: string; render(): Promise<string> };
  /** Once aborted the process is not ready any more, whatever the checks say. */
  readonly stopping?: AbortSignal;
}

export interface OpsServer {
  readonly address: ListenAddress;
  close(): Promise<void>;
}

/** @example const ops = await serveOps(parseListenAddress(':2112'), { endpoint: '/metrics', metrics, checks: { rabbitmq: () => bus.check() } }); */
export async function serveOps(address: ListenAddress, options: OpsOptions): Promise<OpsServer> {
  // Node's own server: three pages do not need a framework, which would take 10 MB of every idle daemon.
  const pages = pagesOf(options);
  const server = createServer((request, response) => void answer(pages, request, response));
  const bound = await listen(listenable(server), address);
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      // Probes and scrapes are answered in turn with everything else: idle connections must not hold up a stop.
      server.closeAllConnections();
    });
  return { address: bound, close };
}

interface Page {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

type Pages = ReadonlyMap<string, () => Promise<Page>>;

const STOPPING: ReadinessState = { ready: false, missing: ['nothing, but this process is stopping'] };

function pagesOf(options: OpsOptions): Pages {
  const readiness = new Readiness(options);
  return new Map([
    ['/healthz', async () => json(200, { healthy: true })],
    [
      '/readyz',
      async () => {
        const state = options.stopping?.aborted ? STOPPING : await readiness.state();
        return json(state.ready ? 200 : 503, state);
      },
    ],
    [options.endpoint, async () => ({ status: 200, type: options.metrics.contentType, body: await options.metrics.render() })],
  ]);
}

async function answer(pages: Pages, { method = '', url = '' }: IncomingMessage, response: ServerResponse): Promise<void> {
  const { status, type, body } = await pageOf(pages, method, url.split('?')[0] ?? '');
  response.writeHead(status, { 'content-type': type }).end(method === 'HEAD' ? undefined : body);
}

async function pageOf(pages: Pages, method: string, path: string): Promise<Page> {
  const page = pages.get(path);
  if (!page) return json(404, { message: `no page ${path}: there are ${[...pages.keys()].join(', ')}` });
  if (method !== 'GET' && method !== 'HEAD') return json(405, { message: `${path} takes GET, not ${method}` });
  try {
    return await page();
  } catch (error) {
    return json(500, { message: String(error) });
  }
}

function json(status: number, body: unknown): Page {
  return { status, type: 'application/json; charset=utf-8', body: JSON.stringify(body) };
}
