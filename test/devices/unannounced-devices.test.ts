import { describe, expect, it } from 'vitest';
import { encodeFrame } from '../../src/protocol/codec.ts';
import { HEARTBEAT, hex, ListenerBench, REFUSED, REGISTERED } from '../support/listener-bench.ts';
import { APPID, registerRequest } from '../support/session-bench.ts';

const imei = (index: number): string => String(100_000_000_000_000 + index);
const register = (index: number) => encodeFrame(registerRequest({ appid: APPID, imei: imei(index) }));

/** A device that dials in and registers; tells whether it was taken. */
function visit(bench: ListenerBench, index: number, host = '10.0.0.1') {
  const link = bench.dialIn(host);
  link.data(register(index));
  const said = hex(link.takeSent());
  const taken = said.length === hex([REGISTERED]).length && said[0] === hex([REGISTERED])[0];
  if (!taken) expect(said).toEqual(hex([REFUSED]));
  return { link, taken };
}

/** It comes, and is gone again. */
function callBriefly(bench: ListenerBench, index: number, host?: string): boolean {
  const { link, taken } = visit(bench, index, host);
  if (taken) link.close();
  bench.clock.advance(1_000);
  return taken;
}

describe('where max_devices are known', () => {
  it('the one that came once and has been gone for longest makes room for a new one', () => {
    const bench = new ListenerBench({ maxDevices: 3 });
    for (const index of [1, 2, 3]) callBriefly(bench, index);
    expect(callBriefly(bench, 4)).toBe(true);
    expect(bench.devices.sort()).toEqual([2, 3, 4].map(imei));
    expect(callBriefly(bench, 5)).toBe(true);
    expect(bench.devices.sort()).toEqual([3, 4, 5].map(imei));
  });

  it('one that is connected, or came again, stays', () => {
    const bench = new ListenerBench({ maxDevices: 3 });
    callBriefly(bench, 2, '10.0.0.2');
    bench.clock.advance(600_000);
    callBriefly(bench, 2, '10.0.0.2');
    const { link } = visit(bench, 1);
    for (let index = 10; index < 60; index++) {
      link.data(HEARTBEAT);
      expect(callBriefly(bench, index)).toBe(true);
    }
    expect(bench.devices.sort()).toEqual([1, 2, 59].map(imei));
    expect(bench.state(imei(1))?.status).toBe('online');
    expect(bench.state(imei(2))?.status).toBe('offline');
  });

  it('one that stayed for ten minutes stays known', () => {
    const bench = new ListenerBench({ maxDevices: 2 });
    const { link } = visit(bench, 1);
    for (let second = 0; second < 600; second++) {
      link.data(HEARTBEAT);
      bench.clock.advance(1_000);
    }
    link.close();
    for (let index = 10; index < 15; index++) expect(callBriefly(bench, index)).toBe(true);
    expect(bench.devices.sort()).toEqual([1, 14].map(imei));
  });

  it('and none of them came once only, a new one is refused until one is forgotten', () => {
    const bench = new ListenerBench({ maxDevices: 2, forgetMs: 3_600_000 });
    for (const index of [1, 2]) callBriefly(bench, index, `10.0.0.${index}`);
    bench.clock.advance(600_000);
    for (const index of [1, 2]) callBriefly(bench, index, `10.0.0.${index}`);
    expect(visit(bench, 3).taken).toBe(false);
    expect(bench.warnings.join()).toContain('max_devices: 2');
    bench.clock.advance(3_700_000);
    expect(visit(bench, 3).taken).toBe(true);
  });
});

describe('identities that one address invents', () => {
  const ATTACKER = '10.6.6.6';

  it('and dials twice each, push each other out', () => {
    const bench = new ListenerBench({ maxDevices: 4 });
    callBriefly(bench, 1, '10.0.0.1');
    for (let index = 10; index < 40; index++) {
      expect(callBriefly(bench, index, ATTACKER)).toBe(true);
      expect(callBriefly(bench, index, ATTACKER)).toBe(true);
    }
    expect(bench.devices.sort()).toEqual([1, 37, 38, 39].map(imei));
    expect(callBriefly(bench, 2, '10.0.0.2')).toBe(true);
    expect(bench.devices.sort()).toEqual([1, 2, 38, 39].map(imei));
  });

  it('and dials again ten minutes later, keep no device out, and push out none of another address', () => {
    const bench = new ListenerBench({ maxDevices: 6 });
    const invented = [10, 11, 12, 13, 14];
    for (const round of [0, 1]) {
      if (round === 1) bench.clock.advance(600_000);
      callBriefly(bench, 1, '10.0.0.1');
      for (const index of invented) callBriefly(bench, index, ATTACKER);
    }
    expect(callBriefly(bench, 2, '10.0.0.2')).toBe(true);
    expect(bench.devices.sort()).toEqual([1, 2, 11, 12, 13, 14].map(imei));
    // What it invents next takes the place of what was there in passing, then that of its own.
    for (const index of [20, 21, 22]) expect(callBriefly(bench, index, ATTACKER)).toBe(true);
    expect(bench.devices).toContain(imei(1));
    expect(callBriefly(bench, 3, '10.0.0.3')).toBe(true);
    expect(bench.devices).toContain(imei(1));
  });

  it('do not touch a device that has a link', () => {
    const bench = new ListenerBench({ maxDevices: 2 });
    const links = [1, 2].map((index) => visit(bench, index, '10.0.0.1').link);
    expect(callBriefly(bench, 10, ATTACKER)).toBe(false);
    links[0]?.close();
    expect(callBriefly(bench, 10, ATTACKER)).toBe(true);
    expect(bench.devices.sort()).toEqual([2, 10].map(imei));
  });
});

describe('max_new_per_minute', () => {
  it('bounds the new devices of one address, and nothing else', () => {
    const bench = new ListenerBench({ maxNewPerMinute: 2 });
    expect([1, 2, 3].map((index) => visit(bench, index).taken)).toEqual([true, true, false]);
    expect(bench.warnings.join()).toContain('max_new_per_minute: 2');
    // A device that is known comes as often as it likes.
    for (let again = 0; again < 5; again++) expect(callBriefly(bench, 1)).toBe(true);
    expect(visit(bench, 4, '10.0.0.2').taken).toBe(true);
    bench.clock.advance(24_000);
    expect(visit(bench, 5).taken).toBe(false);
    bench.clock.advance(1_100);
    expect(visit(bench, 5).taken).toBe(true);
  });

  it('counts IPv6 by networks of 64 bits', () => {
    const bench = new ListenerBench({ maxNewPerMinute: 1 });
    expect(visit(bench, 1, '2001:db8::1').taken).toBe(true);
    expect(visit(bench, 2, '2001:db8::2:1').taken).toBe(false);
    expect(visit(bench, 2, '2001:db8:0:1::1').taken).toBe(true);
  });

  it('writes one line for many refusals, and counts them', () => {
    const bench = new ListenerBench({ maxNewPerMinute: 1 });
    for (let index = 0; index < 30; index++) visit(bench, index);
    expect(bench.warnings.filter((each) => each.includes('max_new_per_minute'))).toHaveLength(1);
    expect(bench.deviceListener.status().refused_connections).toBe(29);
  });
});

it('a new device is taken without a look at all that are known', () => {
  const bench = new ListenerBench({
    maxDevices: 5_000,
    maxNewPerMinute: 5_000,
    maxConnectionsPerAddress: 5_000,
  });
  const { clock } = bench;
  let looks = 0;
  const now = clock.now.bind(clock);
  clock.now = () => {
    looks += 1;
    return now();
  };
  const looksFor = (first: number): number => {
    const before = looks;
    for (let index = first; index < first + 20; index++) visit(bench, index);
    return looks - before;
  };
  const few = looksFor(1);
  for (let index = 100; index < 1_100; index++) visit(bench, index);
  // Each look at whether a device is away for too long asks the time.
  expect(looksFor(50_000)).toBeLessThan(few * 1.5);
});
