import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { EndpointCommands } from '../protocol.ts';
import { serve } from './serve.ts';

/** Endpoints of one host: /dead takes what it is sent and never answers; every other path answers at once. */
const DEAD = '/dead';
const held = new Set<ServerResponse>();
let latencies: number[] = [];
let from = 0;
let look: () => void = () => undefined;

async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const arrived = performance.timeOrigin + performance.now();
  const chunks: Uint8Array[] = [];
  for await (const chunk of request as AsyncIterable<Uint8Array>) chunks.push(chunk);
  if (request.url === DEAD) held.add(response.once('close', () => held.delete(response)));
  else {
    response.end('{"code":"SUCCESS"}');
    const { timestamp } = JSON.parse(Buffer.concat(chunks).toString()) as { timestamp: string };
    // In whole milliseconds, as the daemon's clock is.
    latencies.push(Math.max(0, arrived - Date.parse(timestamp)));
  }
  look();
}

const server = createServer((request, response) => {
  // One that is broken off in the middle has not come in.
  take(request, response).catch(() => undefined);
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) {
    await new Promise<void>((resolve) => {
      look = resolve;
    });
  }
}

serve<EndpointCommands>({
  serve: async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return { live: `${url}/live`, dead: url + DEAD };
  },
  begin: async () => {
    latencies = [];
    from = performance.now();
    return null;
  },
  arrived: async ({ requests }) => {
    await until(() => latencies.length >= requests);
    const seconds = (performance.now() - from) / 1_000;
    const sorted = Float64Array.from(latencies).sort();
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return { per_second: sorted.length / seconds, p50: at(0.5), p99: at(0.99), held: held.size };
  },
  held: async () => {
    await until(() => held.size > 0);
    return null;
  },
  hangUp: async () => {
    for (const response of held) response.destroy();
    return null;
  },
});
