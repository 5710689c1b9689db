/**
 * The port for operators: metrics for Prometheus, `/healthz` for "restart me", `/readyz` for "send me work".
 * Health says only that this process still turns: a restart does not bring a lost server back.
 */
import fastify, { type FastifyInstance } from 'fastify';
import { type ListenAddress, listen } from './listen.ts';
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
  // Probes and scrapes are answered in turn with everything else: idle connections must not hold up a stop.
  const app = fastify({ forceCloseConnections: true });
  addOpsRoutes(app, options);
  const bound = await listen(app, address);
  return { address: bound, close: () => app.close() };
}

const STOPPING: ReadinessState = { ready: false, missing: ['nothing, but this process is stopping'] };

function addOpsRoutes(app: FastifyInstance, options: OpsOptions): void {
  const readiness = new Readiness(options);
  app.get('/healthz', () => ({ healthy: true }));
  app.get('/readyz', async (_request, reply) => {
    const state = options.stopping?.aborted ? STOPPING : await readiness.state();
    return await reply.code(state.ready ? 200 : 503).send(state);
  });
  app.get(options.endpoint, async (_request, reply) => {
    const text = await options.metrics.render();
    return await reply.type(options.metrics.contentType).send(text);
  });
}
