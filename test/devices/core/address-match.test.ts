import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressInBlock, parseBlock } from '../../../src/contract/address-match.ts';

function inside(host: string, text: string): boolean {
  const block = parseBlock(text);
  if (block === undefined) throw new Error(`${text} is no block`);
  return addressInBlock(host, block);
}

describe('an address in a block', () => {
  it.each([
    ['10.0.0.7', '10.0.0.0/24', true],
    ['10.0.1.7', '10.0.0.0/24', false],
    ['10.0.0.7', '10.0.0.7', true],
    ['10.0.0.8', '10.0.0.7', false],
    ['10.0.0.7', '10.0.0.9/24', true],
    ['192.0.2.129', '192.0.2.128/25', true],
    ['192.0.2.127', '192.0.2.128/25', false],
    ['255.255.255.255', '0.0.0.0/0', true],
    ['::1', '0.0.0.0/0', false],
    ['2001:db8::5', '2001:db8::/32', true],
    ['2001:DB8:0:0::5', '2001:db8::/32', true],
    ['2001:db9::5', '2001:db8::/32', false],
    ['fe80::1%eth0', 'fe80::/10', true],
    ['::1', '::1', true],
    ['::', '::/0', true],
    ['10.0.0.7', '::/0', false],
    ['::ffff:10.0.0.7', '10.0.0.0/24', true],
    ['10.0.0.7', '::ffff:10.0.0.0/120', true],
    ['::ffff:a00:7', '::ffff:10.0.0.7', true],
    ['::5', '::ffff:1.2.3.4/64', true],
    ['10.0.0.7', '::ffff:1.2.3.4/64', false],
    ['example.org', '0.0.0.0/0', false],
    ['', '0.0.0.0/0', false],
  ])('%s in %s: %s', (host, block, expected) => {
    expect(inside(host, block)).toBe(expected);
  });

  it('agrees with the block list of Node', () => {
    const ipv4 = fc.record({ host: fc.ipV4(), net: fc.ipV4(), prefix: fc.integer({ min: 0, max: 32 }) });
    const ipv6 = fc.record({ host: fc.ipV6(), net: fc.ipV6(), prefix: fc.integer({ min: 0, max: 128 }) });
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), fc.boolean(), ({ host, net, prefix }, near) => {
        const peer = near ? net : host;
        const list = new BlockList();
        list.addSubnet(net, prefix, isIP(net) === 4 ? 'ipv4' : 'ipv6');
        const mapped = peer.toLowerCase().includes('ffff') || net.toLowerCase().includes('ffff');
        fc.pre(!(isIP(net) === 6 && mapped));
        expect(inside(peer, `${net}/${prefix}`)).toBe(list.check(peer, isIP(peer) === 4 ? 'ipv4' : 'ipv6'));
      }),
    );
  });
});

describe('text that is no block', () => {
  it.each([
    '',
    '10.0.0',
    '10.0.0.256',
    '10.0.0.07',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/08',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
    ' 10.0.0.1',
    '::1/129',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    '12345::',
    '1.2.3.4::',
    '::1.2.3.4:5',
    'fe80::1%eth0',
    'example.org',
  ])('%j', (text) => {
    expect(parseBlock(text)).toBeUndefined();
  });
});
