import { wrong } from './flags.ts';

/** Addresses that no server can ever have: said at once, instead of waiting for such a server for ever. */
export function checkAddresses(text: (name: string) => string): void {
  const rabbit = parse(text('rabbit_addr'));
  if (rabbit?.protocol !== 'amqp:' && rabbit?.protocol !== 'amqps:')
    throw wrong({ name: 'rabbit_addr' }, 'amqp://user:password@host:port, or amqps://');
  if (!parse(`redis://${text('redis_addr')}`)) throw wrong({ name: 'redis_addr' }, 'host:port');
  if (!text('prom_endpoint').startsWith('/')) throw wrong({ name: 'prom_endpoint' }, 'a path such as /metrics');
}

function parse(address: string): URL | undefined {
  return URL.canParse(address) ? new URL(address) : undefined;
}
