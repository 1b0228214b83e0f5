import { describe, expect, it } from 'vitest';
import { encodeFrame } from '../../src/protocol/codec.ts';
import { Arrivals } from '../../src/system/arrivals.ts';
import { HEARTBEAT, join, ListenerBench, matchedDevice } from '../support/listener-bench.ts';
import { APPID, dialIn, IMEI, registerRequest } from '../support/session-bench.ts';

const register = (imei = IMEI) => encodeFrame(registerRequest({ appid: APPID, imei }));
const EVERY_DAY = { presence: { everyMs: 86_400_000 } };

describe('arrivals', () => {
  it('are a crowd while 20 come within 200 ms, and for a moment longer', () => {
    const arrivals = new Arrivals();
    for (let count = 0; count < 19; count++) arrivals.arrived(count);
    expect(arrivals.crowded).toBe(false);
    arrivals.arrived(199);
    expect([arrivals.count, arrivals.crowded]).toEqual([20, true]);
    arrivals.arrived(201);
    expect(arrivals.crowded).toBe(true);
    arrivals.arrived(402);
    expect(arrivals.crowded).toBe(false);
  });

  it('are none where a few come all the time', () => {
    const arrivals = new Arrivals();
    for (let at = 0; at < 100_000; at += 20) {
      arrivals.arrived(at);
      expect(arrivals.crowded).toBe(false);
    }
  });
});

describe('a link that comes in a crowd', () => {
  const crowded = (...given: ConstructorParameters<typeof ListenerBench>) => {
    const bench = new ListenerBench(...given);
    for (let count = 0; count < 25; count++) bench.dialIn('10.0.0.9');
    return bench;
  };

  it('is the only kind whose first bytes are kept back', () => {
    expect(new ListenerBench().dialIn().keepsFirst).toBe(false);
    const bench = crowded();
    expect(bench.dialIn().keepsFirst).toBe(true);
    bench.clock.advance(1_000);
    expect(bench.dialIn().keepsFirst).toBe(false);
  });

  it('is dropped unread where it only registered and has hung up, and makes no device', () => {
    const bench = crowded();
    expect(bench.dialIn().dropsUnread(register())).toBe(true);
    expect(bench.devices).toEqual([]);
  });

  it.each([
    ['said more', join(register(), HEARTBEAT)],
    ['said something else', HEARTBEAT],
    ['said a part of it', register().subarray(0, 30)],
    ['said what is no register', Uint8Array.of(0, 0, 0, 2, 1, 9)],
    ['said a length', Uint8Array.of(0, 0, 0, 0)],
    ['said next to nothing', Uint8Array.of(0)],
  ])('is read where it %s', (_, bytes) => {
    expect(crowded().dialIn().dropsUnread(bytes)).toBe(false);
  });

  it('is read where its device reports and hangs up', () => {
    const listener = crowded({ session: dialIn(EVERY_DAY) });
    expect(listener.dialIn().dropsUnread(register())).toBe(false);
    const session = dialIn({ device: 'meter', ...EVERY_DAY });
    const matched = crowded({}, [matchedDevice('meter', { imei: IMEI }, { session })]);
    expect(matched.dialIn().dropsUnread(register())).toBe(false);
    expect(matched.dialIn().dropsUnread(register('490154203237518'))).toBe(true);
  });
});

describe('unannounced devices', () => {
  it('that come all at once are looked at once, and forgotten when their time is over', () => {
    const bench = new ListenerBench({ forgetMs: 30_000 });
    const links = Array.from({ length: 100 }, (_, index) => {
      const link = bench.dialIn();
      link.data(register(String(100_000_000_000_000 + index)));
      return link;
    });
    const late = bench.dialIn();
    bench.clock.advance(10);
    late.data(register('490154203237518'));
    for (const link of [...links, late]) link.close();
    expect(bench.devices).toHaveLength(101);
    bench.clock.advance(30_000);
    expect(bench.devices).toHaveLength(0);
  });
});
