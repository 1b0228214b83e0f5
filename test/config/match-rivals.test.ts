import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MatchRivals, type MatchRule, matchRule } from '../../src/config/match-rivals.ts';
import { parseBlock } from '../../src/contract/address-match.ts';

const rule = (more: Partial<Omit<MatchRule, 'from'>> & { readonly from?: readonly string[] }): MatchRule => ({
  imei: more.imei,
  appid: more.appid,
  bare: more.bare ?? false,
  from: more.from?.flatMap((text) => parseBlock(text) ?? []),
});

const bitsOf = (bytes: readonly number[]): string =>
  bytes.map((each) => each.toString(2).padStart(8, '0')).join('');

/** Whether a peer can match both, two by two. */
function overlap(a: MatchRule, b: MatchRule): boolean {
  if (a.bare !== b.bare && (a.from === undefined || b.from === undefined)) return false;
  for (const key of ['imei', 'appid'] as const) {
    if (a[key] !== undefined && b[key] !== undefined && a[key] !== b[key]) return false;
  }
  if (a.from === undefined || b.from === undefined) return true;
  return a.from.some((one) =>
    b.from?.some((other) => {
      const bits = Math.min(one.prefix, other.prefix);
      const same = bitsOf(one.bytes).slice(0, bits) === bitsOf(other.bytes).slice(0, bits);
      return one.bytes.length === other.bytes.length && same;
    }),
  );
}

const NETWORKS = [
  '0.0.0.0/0',
  '10.0.0.0/8',
  '10.1.0.0/16',
  '10.1.2.0/23',
  '10.1.3.7',
  '10.1.3.8',
  '192.168.0.1',
  '::/0',
  '2001:db8::/33',
  '2001:db8::1',
  '::ffff:10.1.3.7',
];
const anyRule = fc
  .record({
    imei: fc.constantFrom(undefined, '1', '2'),
    appid: fc.constantFrom(undefined, 'a', 'b'),
    bare: fc.boolean(),
    from: fc.option(fc.array(fc.constantFrom(...NETWORKS), { maxLength: 3 }), { nil: undefined }),
  })
  .map(({ from, ...rest }) => rule(from === undefined ? rest : { ...rest, from }));

describe('a match', () => {
  it('has the rival that a comparison with every earlier one finds', () => {
    fc.assert(
      fc.property(fc.array(anyRule, { maxLength: 25 }), (rules) => {
        const rivals = new MatchRivals(rules);
        const found = rules.map((each) => rivals.next(each));
        const expected = rules.map((each, at) => {
          const own = rules.slice(0, at);
          const rivalOf = (test: (other: MatchRule) => boolean): number =>
            own.findIndex((other) => test(other) && overlap(other, each));
          // One of the same IMEI is named before one that has none.
          const same = each.imei === undefined ? -1 : rivalOf(({ imei }) => imei === each.imei);
          const first = same >= 0 ? same : rivalOf(() => true);
          return first < 0 ? undefined : first;
        });
        expect(found).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  it.each<[string, (index: number) => MatchRule]>([
    ['addresses', (index) => rule({ from: [`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`] })],
    ['application ids', (index) => rule({ appid: `a${index}` })],
    ['IMEIs', (index) => rule({ imei: String(index) })],
    ['addresses of one IMEI', (index) => rule({ imei: '1', from: [`10.0.${index >> 8}.${index & 255}`] })],
  ])('is compared with none of 5,000 others that %s part from it', (_, make) => {
    let reads = 0;
    const rules = Array.from({ length: 5_000 }, (_each, index) => {
      const { bare, ...rest } = make(index);
      return {
        ...rest,
        get bare() {
          reads++;
          return bare;
        },
      };
    });
    const rivals = new MatchRivals(rules);
    expect(rules.map((each) => rivals.next(each)).filter((each) => each !== undefined)).toEqual([]);
    // Two by two, it would be looked at 12 million times.
    expect(reads).toBeLessThan(20 * rules.length);
  });

  it('is that of its keys: ids in any case, and an identity as an IMEI', () => {
    const session = {} as Parameters<typeof matchRule>[1];
    expect(matchRule({ identity: 'x', appid: 'AB' }, session)).toMatchObject({
      imei: 'x',
      appid: 'ab',
      bare: false,
    });
  });
});
