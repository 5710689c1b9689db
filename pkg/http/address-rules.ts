/** Which addresses the safe client may reach: public ones, and those that the operator has named. */
import ipaddr from 'ipaddr.js';
import { invalid } from '../error/index.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = readonly [Address, number];

const HOST_NAME = /^(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/;
/** A name that ends in a number is an address in one of its older spellings, such as 127.1 or 0x7f000001. */
const NUMERIC_END = /(^|\.)(\d+|0x[0-9a-f]*)$/;
/** All public IPv6 addresses there are so far; ipaddr.js calls ::127.0.0.1 unicast too. */
const GLOBAL_IPV6: Range = ipaddr.parseCIDR('2000::/3');
const EXPECTED = 'a comma list of addresses (127.0.0.1, ::1), CIDRs (10.0.0.0/8) and host names (localhost)';

export class AddressRules {
  readonly #ranges: readonly Range[];
  readonly #hosts: ReadonlySet<string>;

  private constructor(ranges: readonly Range[], hosts: ReadonlySet<string>) {
    this.#ranges = ranges;
    this.#hosts = hosts;
  }

  /**
   * Reads the list of what may be reached although it is not public. A CIDR stands for its addresses only; a host
   * name for that name only, wherever it leads. Throws FlowError INVALID_ARGUMENT that names the bad entry.
   */
  static parse(allowPrivate: string): AddressRules {
    const ranges: Range[] = [];
    const hosts = new Set<string>();
    for (const entry of allowPrivate.split(',').map((part) => part.trim().toLowerCase())) {
      if (entry === '') continue;
      const range = rangeOf(entry);
      if (range !== undefined) ranges.push(range);
      else if (HOST_NAME.test(entry) && !NUMERIC_END.test(entry)) hosts.add(entry);
      else throw invalid('HTTP_ALLOW_PRIVATE_INVALID', 'http_allow_private', entry, EXPECTED);
    }
    return new AddressRules(ranges, hosts);
  }

  /** True for a host name that the operator has named. */
  namesHost(host: string): boolean {
    return this.#hosts.has(host.toLowerCase().replace(/\.$/, ''));
  }

  /** True when the IP address may be reached; what cannot be read as one may not. */
  allows(text: string): boolean {
    const address = parseAddress(text);
    if (address === undefined) return false;
    return isPublic(address) || this.#ranges.some((range) => contains(range, address));
  }
}

/** Undefined when it is a name. Addresses that hold an IPv4 address (::ffff:1.2.3.4) are read as that. */
export function parseAddress(text: string): Address | undefined {
  return ipaddr.isValid(text) ? ipaddr.process(text) : undefined;
}

function isPublic(address: Address): boolean {
  return address.range() === 'unicast' && (address.kind() === 'ipv4' || contains(GLOBAL_IPV6, address));
}

function contains([base, bits]: Range, address: Address): boolean {
  // match() of ipaddr.js throws on two kinds.
  return base.kind() === address.kind() && address.match(base, bits);
}

/** Undefined when it is neither an address nor a CIDR in its usual spelling. */
function rangeOf(entry: string): Range | undefined {
  const [base = '', bits, ...more] = entry.replace(/^\[(.*)\]$/, '$1').split('/');
  if (more.length > 0 || !(ipaddr.IPv4.isValidFourPartDecimal(base) || ipaddr.IPv6.isValid(base))) return undefined;
  const address = ipaddr.process(base);
  const size = address.kind() === 'ipv4' ? 32 : 128;
  if (bits === undefined) return [address, size];
  // A mapped base (::ffff:10.0.0.0/104) has become IPv4, and its prefix would mean something else.
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > size || ipaddr.parse(base).kind() !== address.kind()) return undefined;
  return [address, Number(bits)];
}
