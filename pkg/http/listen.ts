import { once } from 'node:events';
import type { Server } from 'node:http';
import { invalid } from '../error/index.ts';

/** Where a server listens; an empty host means every address of this machine. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Reads Go's form: `:2112`, `127.0.0.1:8080`, `[::1]:8080`; port 0 takes a free one.
 * Throws FlowError INVALID_ARGUMENT that names `flag`.
 */
export function parseListenAddress(text: string, flag = 'address'): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s/]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) throw invalid('BAD_LISTEN_ADDRESS', flag, text, 'host:port or :port, such as :2112');
  return { host: match[1] ?? match[2] ?? '', port };
}

/** A server that can begin to listen: fastify's, or node's own by `listenable`. */
export interface Listenable {
  listen(where: { readonly host: string; readonly port: number }): Promise<unknown>;
  readonly server: Pick<Server, 'address'>;
}

export function listenable(server: Server): Listenable {
  return { server, listen: (where) => once(server.listen(where), 'listening') };
}

/** Begins to listen and resolves with the address that it got. */
export async function listen(app: Listenable, address: ListenAddress): Promise<ListenAddress> {
  if (address.host !== '') await app.listen(address);
  else await listenEverywhere(app, address.port);
  const bound = app.server.address();
  return { host: address.host, port: typeof bound === 'object' && bound !== null ? bound.port : address.port };
}

/** On both families where the machine has IPv6, as Go does. A kernel without it does not know `::`. */
async function listenEverywhere(app: Listenable, port: number): Promise<void> {
  try {
    await app.listen({ host: '::', port });
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
    if (code !== 'EAFNOSUPPORT' && code !== 'EADDRNOTAVAIL') throw error;
    await app.listen({ host: '0.0.0.0', port });
  }
}
