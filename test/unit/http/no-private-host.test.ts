/** Promise 11: no address given by a tenant reaches a host that is not public. */
import { connect } from 'node:net';
import { expect } from 'chai';
import fc from 'fast-check';
import { Agent, request } from 'undici';
import { FlowError } from '../../../pkg/error/index.ts';
import { AddressRules } from '../../../pkg/http/address-rules.ts';
import { SafeHttpClient } from '../../../pkg/http/safe-client.ts';
import { type Resolve, safeConnector } from '../../../pkg/http/safe-connector.ts';
import { Canary } from '../../support/canary.ts';

type Bytes = readonly [number, number, number, number];

const byte = fc.nat(255);
const loopback: fc.Arbitrary<Bytes> = fc.tuple(fc.constant(127), byte, byte, byte);
/** Addresses of this machine count most: there the canary would see what gets through. */
const notPublic: fc.Arbitrary<Bytes> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Bytes>([127, 0, 0, 1]) },
  { weight: 2, arbitrary: loopback },
  fc.constant<Bytes>([0, 0, 0, 0]),
  fc.constant<Bytes>([169, 254, 169, 254]),
  fc.tuple(fc.constant(10), byte, byte, byte),
  fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), byte, byte),
  fc.tuple(fc.constant(192), fc.constant(168), byte, byte),
  fc.tuple(fc.constant(100), fc.integer({ min: 64, max: 127 }), byte, byte),
);

const numeral = (value: number) =>
  fc.constantFrom(String(value), `0${value.toString(8)}`, `0x${value.toString(16)}`, `0X${value.toString(16).toUpperCase()}`);
const hex = (high: number, low: number) => ((high << 8) | low).toString(16);

/** One to four numbers, each decimal, octal or hexadecimal: all that inet_aton reads. */
function numeric([a, b, c, d]: Bytes): fc.Arbitrary<string> {
  const low = c * 256 + d;
  const middle = b * 65_536 + low;
  const forms = [[a, b, c, d], [a, b, low], [a, middle], [a * 16_777_216 + middle]];
  return fc.constantFrom(...forms).chain((parts) => fc.tuple(...parts.map(numeral)).map((texts) => texts.join('.')));
}

/** IPv6 addresses that hold an IPv4 address, and loopback itself. */
function embedded([a, b, c, d]: Bytes): fc.Arbitrary<string> {
  const quad = `${a}.${b}.${c}.${d}`;
  const pair = `${hex(a, b)}:${hex(c, d)}`;
  const prefixes = ['::ffff:', '::', '::ffff:0:', '64:ff9b::', '64:ff9b:1::', '0:0:0:0:0:ffff:', '::FFFF:'];
  const all = prefixes.flatMap((prefix) => [`[${prefix}${quad}]`, `[${prefix}${pair}]`]);
  return fc.constantFrom(...all, `[2002:${pair}::1]`, '[::1]', '[::]', '[0:0:0:0:0:0:0:1]', '[fe80::1]', '[fd00::1]');
}

/** The same characters in other clothes, which the URL parser takes off again. */
function dressed(host: string): fc.Arbitrary<string> {
  const percent = [...host].map((char) => `%${char.charCodeAt(0).toString(16)}`).join('');
  const wide = host.replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit)));
  const circled = host.replace(/[1-9]/g, (digit) => String.fromCodePoint(0x2460 + Number(digit) - 1));
  return fc.constantFrom(host, host, `${host}.`, percent, wide, circled, host.replaceAll('.', '。'));
}

const name = fc.constantFrom('rebind.example', 'localhost', 'LOCALHOST', 'metadata.google.internal', 'x.127.0.0.1.nip.io');
const host = notPublic.chain((bytes) => fc.oneof(numeric(bytes).chain(dressed), embedded(bytes), name));

function url(port: number): fc.Arbitrary<string> {
  const scheme = fc.constantFrom('http://', 'HTTP://', 'http:', 'http:\\\\', 'https://', ' \thttp://', 'ht\ntp://');
  const user = fc.constantFrom('', '', 'example.com@', 'example.com:80@', 'a:b@');
  const tail = fc.constantFrom('', '/', '/x?y#z', '\\x', '/@example.com', '#@example.com/');
  return fc.tuple(scheme, user, host, tail).map(([a, b, c, d]) => `${a}${b}${c}:${port}${d}`);
}

async function reasonOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'none';
  } catch (error) {
    return error instanceof FlowError ? error.reason : String(error);
  }
}

describe('no private host is reached', () => {
  let canary: Canary;

  before(async () => {
    // On every address of this machine, in both families where it has both.
    canary = await Canary.start('::').catch(() => Canary.start('0.0.0.0'));
  });

  after(() => canary.stop());

  it('is there: the canary sees a request that is allowed', async () => {
    const client = new SafeHttpClient({ allowPrivate: '127.0.0.1' });
    await client.request({ method: 'GET', url: `http://0x7f.1:${canary.port}/` });
    await client.close();
    expect(canary.requests.splice(0)).to.have.length(1);
    canary.connections = 0;
  });

  it('by any spelling of its address, or a name that leads there', async () => {
    const there: Resolve = async () => [{ address: '127.0.0.1', family: 4 }];
    const client = new SafeHttpClient({ resolve: there });
    await fc.assert(
      fc.asyncProperty(url(canary.port), async (text) => {
        const reason = await reasonOf(client.request({ method: 'GET', url: text }));
        expect(reason, text).to.be.oneOf(['HTTP_ADDRESS_NOT_ALLOWED', 'HTTP_URL_INVALID']);
        expect(canary.connections, text).to.equal(0);
      }),
      { numRuns: 400 },
    );
    await client.close();
  });

  it('by a header that names another host', async () => {
    const from = await Canary.start();
    const client = new SafeHttpClient({ allowPrivate: '127.0.0.1' });
    const name = fc.constantFrom('host', 'Host', 'HOST', ':authority', 'host ', ' host', 'x\r\nhost', 'x: y\nhost');
    await fc.assert(
      fc.asyncProperty(name, host, async (header, where) => {
        const asked = { method: 'GET', url: `http://127.0.0.1:${from.port}/`, headers: { [header]: `${where}:${canary.port}` } };
        expect(await reasonOf(client.request(asked)), header).to.equal('HTTP_HEADER_INVALID');
      }),
    );
    await client.close();
    expect([from.connections, canary.connections]).to.deep.equal([0, 0]);
    await from.stop();
  });

  it('by a query that is added to its address', async () => {
    const client = new SafeHttpClient({ resolve: async () => [{ address: '127.0.0.1', family: 4 }] });
    await fc.assert(
      fc.asyncProperty(url(canary.port), fc.string(), fc.string(), async (text, key, value) => {
        const reason = await reasonOf(client.request({ method: 'POST', url: text, query: [[key, value]], text: value }));
        expect(reason, text).to.be.oneOf(['HTTP_ADDRESS_NOT_ALLOWED', 'HTTP_URL_INVALID']);
      }),
    );
    await client.close();
    expect(canary.connections).to.equal(0);
  });

  it('by a name of several addresses, one of them not public', async () => {
    const publicOnes = fc.array(fc.constantFrom('8.8.8.8', '2606:4700::1111', '1.1.1.1'), { maxLength: 3 });
    const mixed = fc.tuple(publicOnes, notPublic, publicOnes).map(([a, b, c]) => [...a, b.join('.'), ...c]);
    await fc.assert(
      fc.asyncProperty(mixed, async (addresses) => {
        const resolve: Resolve = async () => addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
        const client = new SafeHttpClient({ resolve });
        const reason = await reasonOf(client.request({ method: 'GET', url: `http://rebind.example:${canary.port}/` }));
        expect(reason).to.equal('HTTP_ADDRESS_NOT_ALLOWED');
        await client.close();
      }),
      { numRuns: 100 },
    );
    expect(canary.connections).to.equal(0);
  });

  it('by a name that changes between two lookups: each connection checks its own', async () => {
    let asked = 0;
    const resolve: Resolve = async () => {
      asked += 1;
      return [{ address: asked % 2 === 0 ? '127.0.0.1' : '10.255.255.1', family: 4 }];
    };
    const client = new SafeHttpClient({ resolve });
    for (let round = 0; round < 4; round++) {
      const reason = await reasonOf(client.request({ method: 'GET', url: `http://rebind.example:${canary.port}/` }));
      expect(reason).to.equal('HTTP_ADDRESS_NOT_ALLOWED');
    }
    await client.close();
    expect(asked).to.be.at.least(4);
    expect(canary.connections).to.equal(0);
  });

  it('by a socket that ends up elsewhere than the lookup said', async () => {
    const rules = AddressRules.parse('');
    const agent = new Agent({
      connect: safeConnector({
        rules,
        timeout_ms: 1_000,
        resolve: async () => [{ address: '8.8.8.8', family: 4 }],
        connector: (lookup) => (target, callback) => {
          lookup(target.hostname, { all: true }, (error) => {
            if (error) return callback(error, null);
            const socket = connect(canary.port, '127.0.0.1', () => callback(null, socket));
          });
        },
      }),
    });
    const reason = await reasonOf(request('http://rebind.example/', { dispatcher: agent }));
    expect(reason).to.equal('HTTP_ADDRESS_NOT_ALLOWED');
    await agent.close();
    expect(canary.requests).to.have.length(0);
    canary.connections = 0;
  });

  it('by a redirect', async () => {
    const from = await Canary.start();
    from.answer = (response) => response.writeHead(302, { location: `http://127.0.0.2:${canary.port}/` }).end();
    const client = new SafeHttpClient({ allowPrivate: '127.0.0.1' });
    expect(await client.request({ method: 'GET', url: `http://127.0.0.1:${from.port}/` })).to.include({ status: 302 });
    await client.close();
    await from.stop();
    expect(canary.connections).to.equal(0);
  });

  it('but for those that are named, and only those', async () => {
    const resolve: Resolve = async () => [{ address: '127.0.0.1', family: 4 }];
    const cases: readonly (readonly [string, string, boolean])[] = [
      ['127.0.0.1', '127.0.0.1', true],
      ['127.0.0.1', '[::ffff:127.0.0.1]', true],
      ['127.0.0.1', 'leads.example', true],
      ['127.0.0.1', '127.0.0.2', false],
      ['127.0.0.0/30', '127.0.0.3', true],
      ['127.0.0.0/30', '127.0.0.4', false],
      ['leads.example', 'leads.example', true],
      ['leads.example', 'LEADS.example.', true],
      ['leads.example', 'other.example', false],
      ['leads.example', '127.0.0.1', false],
      ['10.0.0.0/8', 'leads.example', false],
    ];
    for (const [allowPrivate, tried, through] of cases) {
      const client = new SafeHttpClient({ allowPrivate, resolve });
      const reason = await reasonOf(client.request({ method: 'GET', url: `http://${tried}:${canary.port}/` }));
      expect(reason, `${tried} with ${allowPrivate}`).to.equal(through ? 'none' : 'HTTP_ADDRESS_NOT_ALLOWED');
      expect(canary.requests.splice(0)).to.have.length(through ? 1 : 0);
      await client.close();
    }
  });

  it('and the refusal says "not allowed", without where the name leads', async () => {
    const client = new SafeHttpClient({ resolve: async () => [{ address: '10.11.12.13', family: 4 }] });
    const error = await client
      .request({ method: 'GET', url: 'http://intranet.example/?token=secret' })
      .catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(FlowError).and.include({ status: 'PERMISSION_DENIED' });
    const { message } = error as FlowError;
    expect(message).to.contain('intranet.example').and.to.contain('not allowed');
    expect(message).to.not.contain('10.11').and.to.not.contain('secret');
    await client.close();
  });
});
