import { describe, expect, it } from 'vitest';
import { encodeFrame } from '../../src/protocol/codec.ts';
import { ListenerBench } from '../support/listener-bench.ts';
import { APPID, registerRequest } from '../support/session-bench.ts';

function world(devices: number) {
  const bench = new ListenerBench({ maxDevices: devices, maxNewPerMinute: devices });
  const links = Array.from({ length: devices }, (_, at) => {
    const link = bench.dialIn(`10.0.${at >> 8}.${at & 255}`);
    const imei = String(100_000_000_000_000 + at);
    link.data(encodeFrame(registerRequest({ appid: APPID, imei })));
    return link;
  });
  return { bench, links, directory: bench.directory };
}

describe('how many devices there are of each status', () => {
  it('is that of now where they are few', () => {
    const { directory, links } = world(3);
    expect(directory.countByStatus()).toEqual({ online: 3 });
    links[0]?.close();
    expect(directory.countByStatus()).toEqual({ online: 2, offline: 1 });
  });

  it('is counted once a second where they are many, however often that is asked for', () => {
    const { bench, directory, links } = world(1_001);
    const first = directory.countByStatus();
    expect(first).toEqual({ online: 1_001 });
    links[0]?.close();
    bench.clock.advance(999);
    expect(directory.countByStatus()).toBe(first);
    bench.clock.advance(1);
    expect(directory.countByStatus()).toEqual({ online: 1_000, offline: 1 });
  });

  it('may be counted in slices, while devices come', () => {
    const { bench, directory } = world(1_001);
    const counting = directory.countingByStatus();
    let slices = 0;
    let step = counting.next();
    for (; step.done !== true; step = counting.next()) {
      slices++;
      if (slices === 1) bench.dialIn('10.9.9.9').close();
    }
    expect(slices).toBe(Math.floor(1_001 / 64));
    expect(directory.countByStatus()).toBe(step.value);
  });
});
