import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MatchConfig } from '../../src/config/model.ts';
import { addressInBlock, parseBlock } from '../../src/contract/address-match.ts';
import { type Identity, identityText } from '../../src/contract/identity.ts';
import { MatchIndex } from '../../src/devices/match-index.ts';

/** The same by looking at all of them, one after the other. */
class Linear {
  readonly entries: { match: MatchConfig; value: number }[] = [];

  find(identity: Identity, host: string, fits: (value: number) => boolean): number | undefined {
    return this.entries.find(
      ({ match: { identity: id, imei, appid, from }, value }) =>
        fits(value) &&
        (id === undefined || id === identityText(identity)) &&
        (imei === undefined || imei === identity.imei) &&
        (appid === undefined || appid.toLowerCase() === identity.appid?.toLowerCase()) &&
        (from === undefined || cameFrom(from, host)),
    )?.value;
  }

  findBare(host: string): number | undefined {
    return this.entries.find(({ match }) => isBare(match) && cameFrom(match.from ?? [], host))?.value;
  }

  findByAddress(host: string, waited: boolean): number | undefined {
    for (const { match, value } of this.entries) {
      if (match.from !== undefined && !cameFrom(match.from, host)) continue;
      if (isBare(match)) return value;
      if (!waited) return undefined;
    }
    return undefined;
  }
}

const isBare = ({ imei, appid, identity }: MatchConfig): boolean =>
  imei === undefined && appid === undefined && identity === undefined;
const cameFrom = (from: readonly string[], host: string): boolean =>
  from.some((text) => {
    const block = parseBlock(text);
    return block !== undefined && addressInBlock(host, block);
  });

const HOSTS = [
  '10.0.0.1',
  '10.0.0.2',
  '10.0.1.1',
  '::ffff:10.0.0.1',
  'fe80::1%eth0',
  '2001:db8::1',
  'odd',
  '',
];
const BLOCKS = ['10.0.0.1', '10.0.0.0/24', '10.0.0.0/9', '0.0.0.0/0', 'fe80::/10', '2001:db8::1', '::/0'];
const match: fc.Arbitrary<MatchConfig> = fc.record(
  {
    identity: fc.constantFrom('1', 'a/1', 'x'),
    imei: fc.constantFrom('1', '2'),
    appid: fc.constantFrom('a', 'A', 'b'),
    from: fc.array(fc.constantFrom(...BLOCKS), { minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: [] },
);
const identity: fc.Arbitrary<Identity> = fc.oneof(
  fc.record({ imei: fc.constantFrom('1', '2', '3'), appid: fc.constantFrom('a', 'B') }),
  fc.record({ identity: fc.constantFrom('1', 'x', 'y') }),
);

describe('the devices that a match names', () => {
  it('are found as if all were looked at in their order', () => {
    fc.assert(
      fc.property(
        fc.array(match, { maxLength: 12 }),
        identity,
        fc.constantFrom(...HOSTS),
        fc.integer({ min: 1, max: 3 }),
        (matches, who, host, every) => {
          const index = new MatchIndex<number>();
          const linear = new Linear();
          for (const [value, each] of matches.entries()) {
            index.add(each, value);
            linear.entries.push({ match: each, value });
          }
          const fits = (value: number): boolean => value % every === 0;
          expect(index.find({ identity: who, host }, fits)).toBe(linear.find(who, host, fits));
          expect(index.findBare(host)).toBe(linear.findBare(host));
          for (const waited of [true, false])
            expect(index.findByAddress(host, waited)).toBe(linear.findByAddress(host, waited));
        },
      ),
      { numRuns: 2_000, seed: 4 },
    );
  });

  it.each<[string, (at: number) => MatchConfig]>([
    ['IMEI', (at) => ({ imei: String(at) })],
    ['IMEI, in one network', (at) => ({ imei: String(at), from: ['10.0.0.0/8'] })],
    ['identity', (at) => ({ identity: `i${at}` })],
    ['appid', (at) => ({ appid: `A${at}` })],
    ['address', (at) => ({ from: [`10.0.${at >> 8}.${at & 255}`] })],
    ['appid and address', (at) => ({ appid: 'A', from: [`10.0.${at >> 8}.${at & 255}`] })],
  ])('by their %s cost the same however many there are', (_, of) => {
    /** How often a value of a `match` is read while each kind of look-up is made. */
    const reads = (count: number): number => {
      const index = new MatchIndex<number>();
      let read = 0;
      for (let at = 0; at < count; at++) {
        const counting = new Proxy(of(at), {
          get: (target, key, receiver) => {
            read++;
            return Reflect.get(target, key, receiver);
          },
        });
        index.add(counting, at);
      }
      read = 0;
      const last = count - 1;
      const host = `10.0.${last >> 8}.${last & 255}`;
      const found = [
        index.find({ identity: { imei: String(last), appid: 'a' }, host }, () => true),
        index.find({ identity: { imei: 'none', appid: `a${last}` }, host }, () => true),
        index.find({ identity: { identity: `i${last}` }, host }, () => true),
      ];
      expect(found).toContain(last);
      index.find({ identity: { imei: 'none', appid: 'none' }, host: '192.0.2.1' }, () => true);
      index.findBare(host);
      for (const waited of [true, false]) index.findByAddress(host, waited);
      return read;
    };
    expect(reads(5_000)).toBe(reads(10));
  });
});
