import { describe, expect, it } from 'vitest';
import { AddressCount, AddressPace, addressKey } from '../../src/system/address-caps.ts';

describe('under what an address is counted', () => {
  it.each([
    ['10.0.0.7', '10.0.0.8', false],
    ['10.0.0.7', '::ffff:10.0.0.7', false],
    ['2001:db8:1:2::7', '2001:db8:1:2:ffff::8', true],
    ['2001:db8:1:2::7', '2001:db8:1:3::7', false],
    ['fe80::7%eth0', 'fe80::8%eth1', true],
    ['unknown', 'unknown', true],
  ])('%s and %s: %s', (one, other, same) => {
    expect(addressKey(one) === addressKey(other)).toBe(same);
  });
});

describe('AddressCount', () => {
  it('goes back to nothing', () => {
    const count = new AddressCount();
    expect([count.add('10.0.0.7'), count.add('10.0.0.7'), count.add('10.0.0.8')]).toEqual([1, 2, 1]);
    count.remove('10.0.0.7');
    expect([count.of('10.0.0.7'), count.of('10.0.0.8')]).toEqual([1, 1]);
    count.remove('10.0.0.7');
    expect(count.of('10.0.0.7')).toBe(0);
  });
});

describe('AddressPace', () => {
  it('bounds each address by itself', () => {
    const pace = new AddressPace(2, 3);
    const taken = (address: string, at: number) => pace.take(address, at);
    expect([0, 0, 0, 0].map((at) => taken('10.0.0.7', at))).toEqual([true, true, true, false]);
    expect(taken('10.0.0.8', 0)).toBe(true);
    expect([500, 500, 1_000].map((at) => taken('10.0.0.7', at))).toEqual([true, false, true]);
  });

  it('begins anew with other bounds, and only with these', () => {
    const pace = new AddressPace(1, 2);
    const take = (times: number) => Array.from({ length: times }, () => pace.take('10.0.0.7', 0));
    expect(take(3)).toEqual([true, true, false]);
    pace.follow(1, 2);
    expect(take(1)).toEqual([false]);
    pace.follow(10, 3);
    expect(take(4)).toEqual([true, true, true, false]);
    pace.follow(1, 1);
    expect(take(2)).toEqual([true, false]);
  });

  it('forgets who was quiet for longest, and nobody who keeps coming', () => {
    const pace = new AddressPace(0, 1);
    expect(pace.take('10.0.0.7', 0)).toBe(true);
    for (let i = 0; i < 20_000; i += 1) {
      pace.take(`192.0.2.${i}`, 0);
      expect(pace.take('10.0.0.7', 0)).toBe(false);
    }
    expect(pace.take('192.0.2.0', 0)).toBe(true);
  });
});
