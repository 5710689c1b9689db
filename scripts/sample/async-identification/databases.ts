/** Three customer databases as they may be found after two mergers: each answers who has a number, or 404. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export const COMPANIES = ['alpha', 'beta', 'gamma'] as const;
export type Company = (typeof COMPANIES)[number];
export const CASES = ['known', 'unknown', 'second-down', 'slow'] as const;
export type Case = (typeof CASES)[number];

export const NUMBER = '+491570006543';

export interface Databases {
  readonly urls: Readonly<Record<Company, string>>;
  /** Requests so far, of all of them. */
  readonly asked: readonly Company[];
  /** Lets the slow one answer. */
  release(): void;
  close(): Promise<void>;
}

/** `known`: the third knows the number; `second-down`: the same, and nobody answers for the second; `slow`: the third answers when it is let. */
export async function startDatabases(name: Case): Promise<Databases> {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const asked: Company[] = [];
  const servers = new Map<Company, Server>();
  for (const company of COMPANIES) {
    const server = createServer(async (request, response) => {
      asked.push(company);
      const number = new URL(request.url ?? '/', 'http://localhost').searchParams.get('number');
      if (company === 'gamma' && name === 'slow') await released;
      const known = company === 'gamma' && name !== 'unknown' && number === NUMBER;
      response.writeHead(known ? 200 : 404, { 'content-type': 'application/json' });
      response.end(JSON.stringify(known ? { name: 'Ada Müller' } : { error: 'no such customer' }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    servers.set(company, server);
  }
  const urls = Object.fromEntries([...servers].map(([company, server]) => [company, urlOf(server)])) as Databases['urls'];
  if (name === 'second-down') await close(servers.get('beta'));
  return {
    urls,
    asked,
    release,
    async close() {
      release();
      for (const server of servers.values()) await close(server);
    },
  };
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function close(server: Server | undefined): Promise<void> {
  server?.closeAllConnections();
  if (server?.listening) await new Promise((resolve) => server.close(resolve));
}
