import { expect } from 'chai';
import fc from 'fast-check';
import { FlowError } from '../../../pkg/error/index.ts';
import { AddressRules } from '../../../pkg/http/address-rules.ts';

const NOT_PUBLIC = [
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '100.64.0.1',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.1',
  '192.0.2.1',
  '192.168.1.1',
  '198.18.0.1',
  '203.0.113.9',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::127.0.0.1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::ffff:0:127.0.0.1',
  '64:ff9b::127.0.0.1',
  '64:ff9b:1::1',
  '100::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '3fff::1',
  '4000::1',
  'fc00::1',
  'fd12::1',
  'fe80::1',
  'fec0::1',
  'ff02::1',
];
const PUBLIC = [
  '8.8.8.8',
  '1.1.1.1',
  '100.63.255.255',
  '100.128.0.1',
  '172.15.255.255',
  '172.32.0.1',
  '2606:4700::1111',
  '2a00::1',
];

describe('AddressRules', () => {
  it('allows public addresses and no other', () => {
    const rules = AddressRules.parse('');
    for (const address of PUBLIC) expect(rules.allows(address), address).to.equal(true);
    for (const address of NOT_PUBLIC) expect(rules.allows(address), address).to.equal(false);
    for (const text of ['', 'localhost', 'example.com', '127.0.0.1:80', '[::1]', 'fe80::1%eth0']) {
      expect(rules.allows(text), text).to.equal(false);
    }
  });

  it('allows what is named besides, in whichever spelling it is met', () => {
    const rules = AddressRules.parse(' 127.0.0.1, 10.0.0.0/8 ,[::1],fd00::/8,DB.internal, localhost,,');
    for (const address of [
      '127.0.0.1',
      '::ffff:127.0.0.1',
      '10.1.2.3',
      '::ffff:a01:203',
      '::1',
      '0:0::1',
      'fd12::1',
      '8.8.8.8',
    ]) {
      expect(rules.allows(address), address).to.equal(true);
    }
    for (const address of ['127.0.0.2', '11.0.0.1.', '::2', 'fe80::1', '192.168.0.1', '::a01:203']) {
      expect(rules.allows(address), address).to.equal(false);
    }
    for (const host of ['db.internal', 'DB.INTERNAL', 'localhost', 'localhost.']) expect(rules.namesHost(host)).to.equal(true);
    for (const host of ['internal', 'x.db.internal', 'localhost.example', '10.0.0.1'])
      expect(rules.namesHost(host)).to.equal(false);
  });

  it('names a bad entry', () => {
    const bad = [
      '127.1',
      '0x7f000001',
      '2130706433',
      '010.0.0.1',
      '10.0.0.0/33',
      '::1/129',
      '10.0.0.0/',
      '10.0.0.0/8/8',
      '10.0.0.0/-1',
      '::ffff:10.0.0.0/104',
      'http://localhost',
      'localhost:80',
      '127.0.0.1:80',
      '*.internal',
      'a b',
      '256.1.1.1',
    ];
    for (const entry of bad) {
      expect(() => AddressRules.parse(`127.0.0.1,${entry}`), entry)
        .to.throw(FlowError)
        .that.includes({ status: 'INVALID_ARGUMENT', reason: 'HTTP_ALLOW_PRIVATE_INVALID' })
        .and.property('message')
        .contains(entry);
    }
  });

  it('lets exactly the addresses of a CIDR through', () => {
    const priv = fc
      .constantFrom(0x0a000000, 0x7f000000, 0xac100000, 0xc0a80000, 0xa9fe0000)
      .chain((base) => fc.nat(0xffff).map((low) => (base + low) >>> 0));
    const near = fc.tuple(priv, fc.integer({ min: 16, max: 32 }), fc.oneof(priv, fc.nat(63)));
    fc.assert(
      fc.property(near, ([base, bits, other]) => {
        const tried = other <= 63 ? (base ^ other) >>> 0 : other;
        const mask = bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0;
        const inside = (base & mask) >>> 0 === (tried & mask) >>> 0;
        expect(AddressRules.parse(`${dotted(base)}/${bits}`).allows(dotted(tried))).to.equal(inside);
      }),
      { numRuns: 500 },
    );
  });
});

function dotted(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff).join('.');
}
