/**
 * Opens connections to public addresses only. Three checks, because each one alone can be passed by: a literal
 * address is never looked up; a name may lead to several addresses, or to another one a moment later; and what the
 * socket is connected to in the end is the only thing that counts.
 */
import { lookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { FlowError, unavailable } from '../error/index.ts';
import { type AddressRules, parseAddress } from './address-rules.ts';

/** All addresses of a host name. */
export type Resolve = (host: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;

interface ConnectorOptions {
  readonly rules: AddressRules;
  /** How long a connection may take, in ms. */
  readonly timeout_ms: number;
  readonly resolve?: Resolve;
  /** What opens the sockets, given the checked lookup. */
  readonly connector?: (lookup: LookupFunction) => buildConnector.connector;
}

export function safeConnector(options: ConnectorOptions): buildConnector.connector {
  const { rules, timeout_ms, resolve = resolveAll } = options;
  const build = options.connector ?? ((checked) => buildConnector({ lookup: checked, timeout: timeout_ms }));
  const open = build(checkedLookup(rules, resolve));
  return (target, callback) => {
    const host = target.hostname.replace(/^\[(.*)\]$/, '$1');
    const named = rules.namesHost(host);
    if (!named && parseAddress(host) !== undefined && !rules.allows(host)) {
      callback(notAllowed(host), null);
      return;
    }
    open(target, (...[error, socket]) => {
      if (error !== null) return callback(error, null);
      const reached = socket.remoteAddress;
      if (named || (reached !== undefined && rules.allows(reached))) return callback(null, socket);
      socket.destroy();
      callback(reached === undefined ? failed(host, 'connection lost') : notAllowed(host), null);
    });
  };
}

/** The resolved address is not shown: who may not reach a network need not learn what is in it either. */
function notAllowed(host: string): Error {
  return new FlowError('PERMISSION_DENIED', 'HTTP_ADDRESS_NOT_ALLOWED', `${host}: not allowed: it is no public address`, [
    { field: 'url', value: host, expected: 'a public address' },
  ]);
}

function failed(host: string, why: string): Error {
  return unavailable('HTTP_FAILED', `${host}: ${why}`);
}

function checkedLookup(rules: AddressRules, resolve: Resolve): LookupFunction {
  return (host, options, callback) => {
    resolve(host).then(
      (addresses) => {
        // One bad address is enough: which of them is connected to is not for us to say.
        const bad = !rules.namesHost(host) && addresses.some(({ address }) => !rules.allows(address));
        const [first] = addresses;
        if (bad) callback(notAllowed(host), '', 0);
        else if (first === undefined) callback(failed(host, 'has no address'), '', 0);
        else if (options.all === true) callback(null, [...addresses]);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, '', 0),
    );
  };
}

const resolveAll: Resolve = (host) => lookup(host, { all: true });
