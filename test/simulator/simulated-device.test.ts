import { describe, expect, test } from 'vitest';
import { DeviceRig, IDENTITY, settle, WIRE } from './device-rig.ts';

describe('a device that dials', () => {
  test('registers, then beats and asks the time at its own pace', async () => {
    const rig = await new DeviceRig('dials', '', { heartbeatEveryMs: 1_000, datetimeEveryMs: 1_500 }).up();
    expect(rig.sent()).toBe(WIRE.register);
    rig.clock.advance(900);
    expect(rig.sent()).toBe('');
    rig.receive(WIRE.registered);
    expect(rig.sent()).toBe(WIRE.heartbeat + WIRE.datetime);
    rig.clock.advance(1_000);
    expect(rig.sent()).toBe(WIRE.heartbeat);
    rig.clock.advance(1_000);
    expect(rig.sent()).toBe(WIRE.datetime + WIRE.heartbeat);
    expect(rig.kinds()).toEqual(['connected', 'registered']);
    expect(rig.device.counts).toEqual({ sent: 6, received: 1 });
  });

  test('asks before it registers, where it is told to', async () => {
    const rig = await new DeviceRig('dials', '', { early: ['heartbeat', 'datetime'] }).up();
    expect(rig.sent()).toBe(WIRE.heartbeat + WIRE.datetime + WIRE.register);
  });

  test('answers heartbeat and datetime requests, refuses to be registered with, and never answers a reply', async () => {
    const rig = await new DeviceRig('dials', '', { timeZone: 'Asia/Shanghai', clockOffsetMs: 500_000 }).up();
    rig.sent();
    rig.receive(WIRE.heartbeat, WIRE.datetime, WIRE.register, WIRE.beaten, '00000001f0');
    expect(rig.sent()).toBe(WIRE.beaten + WIRE.time('2026-01-01 08:08:20') + WIRE.refused);
  });

  test('returns after a cut with growing, jittered back-off that only success resets', async () => {
    const rig = await new DeviceRig('dials', '', { reconnect: { initialMs: 1_000, maxMs: 4_000 } }).up();
    const delays: number[] = [];
    for (let attempt = 0; attempt < 8; attempt += 1) {
      rig.link.close({ code: 'connect_refused', detail: 'nobody there' });
      const event = rig.events.at(-1);
      const retryInMs = event?.kind === 'disconnected' ? (event.retryInMs ?? -1) : -1;
      delays.push(retryInMs);
      rig.clock.advance(Math.ceil(retryInMs));
      expect(rig.links).toHaveLength(attempt + 2);
    }
    const most = [1_000, 2_000, 4_000, 4_000, 4_000, 4_000, 4_000, 4_000];
    expect(delays.every((each, index) => each >= 0 && each < (most[index] ?? 0))).toBe(true);
    expect(Math.max(...delays)).toBeGreaterThan(1_000);
    expect(new Set(delays).size).toBe(8);
    for (let round = 0; round < 8; round += 1) {
      rig.link.connect();
      rig.receive(WIRE.registered);
      rig.device.cut();
      await settle();
      expect(rig.events.at(-1)).toMatchObject({ kind: 'disconnected', code: 'link_ended' });
      rig.clock.advance(1_000);
      expect(rig.links).toHaveLength(10 + round);
    }
  });

  test('registers on its first link only, where it is told to', async () => {
    const rig = await new DeviceRig('dials', '', { registersAgain: false }).up();
    rig.receive(WIRE.registered);
    rig.link.close();
    rig.clock.advance(1_000);
    rig.link.connect();
    expect(rig.sent()).toBe(WIRE.heartbeat);
  });

  test('hangs up when it is refused, and on a peer that says nothing valid for too long', async () => {
    const rig = await new DeviceRig('dials', '', { silenceLimitMs: 5_000 }).up();
    rig.receive(WIRE.refused);
    await settle();
    expect(rig.link.calls).toEqual(['open', 'end']);
    expect(rig.events).toContainEqual({ kind: 'refused', error: -1, device: 'sim-1' });
    rig.clock.advance(500);
    rig.link.connect();
    rig.clock.advance(4_000);
    rig.receive(WIRE.registered);
    rig.clock.advance(4_999);
    expect(rig.link.calls).toEqual(['open']);
    rig.clock.advance(1);
    expect(rig.link.calls).toEqual(['open', 'destroy']);
  });
});

describe('a device that is dialled', () => {
  test('answers register, heartbeat and datetime, on several links at once', async () => {
    const rig = await new DeviceRig('listens', '', { timeZone: 'UTC', clockOffsetMs: -1_000 }).up();
    expect(rig.device.listeningAt).toBe('127.0.0.1:9089');
    rig.receive(WIRE.register, WIRE.heartbeat, WIRE.datetime);
    expect(rig.sent()).toBe(WIRE.registered + WIRE.beaten + WIRE.time('2025-12-31 23:59:59'));
    const first = rig.link;
    rig.comeIn();
    rig.receive(WIRE.heartbeat);
    expect(rig.sent()).toBe(WIRE.beaten);
    expect(first.sent).toEqual([]);
    expect(rig.device.links).toBe(2);
    expect(rig.events).toContainEqual({ kind: 'peer_registered', ...IDENTITY, device: 'sim-1' });
  });

  test('beats after it was registered with, where it is told to', async () => {
    const rig = await new DeviceRig('listens', '', { heartbeatEveryMs: 1_000 }).up();
    rig.clock.advance(2_000);
    expect(rig.sent()).toBe('');
    rig.receive(WIRE.register);
    rig.clock.advance(1_000);
    expect(rig.sent()).toBe(WIRE.registered + WIRE.heartbeat + WIRE.heartbeat);
  });

  test('hangs up on a stream that is out of step, and does not dial', async () => {
    const rig = await new DeviceRig('listens').up();
    rig.receive('ffffffff00');
    await settle();
    expect(rig.link.calls).toEqual(['open', 'destroy']);
    rig.clock.advance(60_000);
    expect(rig.links).toHaveLength(1);
  });

  test('closes a link beyond its 64', async () => {
    const rig = await new DeviceRig('listens').up();
    for (let count = 1; count < 64; count += 1) rig.comeIn();
    expect(rig.link.isOpen).toBe(true);
    rig.comeIn();
    expect(rig.link.calls).toEqual(['open', 'destroy']);
  });
});

describe('freezing', () => {
  test('a frozen device reads, answers and beats nothing; thawed, it goes on with what came', async () => {
    const rig = await new DeviceRig('dials', '', { heartbeatEveryMs: 1_000 }).up();
    rig.receive(WIRE.registered);
    rig.sent();
    rig.device.freeze();
    rig.receive(WIRE.datetime.slice(0, 6));
    rig.clock.advance(5_000);
    rig.receive(WIRE.datetime.slice(6), WIRE.heartbeat);
    expect(rig.sent()).toBe('');
    rig.device.thaw();
    expect(rig.sent()).toMatch(new RegExp(`^${WIRE.heartbeat}0000001502.*${WIRE.beaten}$`));
    rig.clock.advance(1_000);
    expect(rig.sent()).toBe(WIRE.heartbeat);
  });

  test('a frozen device notices the loss of its link only when it is thawed', async () => {
    const rig = await new DeviceRig('dials').up();
    rig.device.freeze();
    rig.link.close();
    rig.clock.advance(60_000);
    expect(rig.kinds()).toEqual(['connected']);
    rig.device.thaw();
    expect(rig.kinds()).toEqual(['connected', 'disconnected']);
    rig.clock.advance(500);
    expect(rig.links).toHaveLength(2);
  });

  test('what comes for a frozen device is kept up to 1 MiB', async () => {
    const rig = await new DeviceRig('listens').up();
    rig.device.freeze();
    const beats = WIRE.heartbeat.repeat(20_000);
    for (let chunk = 0; chunk < 12; chunk += 1) rig.receive(beats);
    rig.device.thaw();
    expect(rig.device.counts.received).toBe(200_000);
  });
});

describe('stopping', () => {
  test.each(['dials', 'listens'] as const)(
    'a device that %s leaves no link and no timer, and may start again',
    async (way) => {
      const rig = await new DeviceRig(way, 'stall=1s', { datetimeEveryMs: 500 }).up();
      rig.receive(way === 'dials' ? WIRE.registered : WIRE.register);
      rig.device.freeze();
      await Promise.all([rig.device.stop(), rig.device.stop()]);
      expect(rig.device).toMatchObject({ links: 0, frozen: false, listeningAt: undefined });
      expect(rig.clock.timers).toBe(0);
      await rig.up();
      expect(rig.link.isOpen).toBe(true);
      await rig.device.stop();
      expect(rig.clock.timers).toBe(0);
    },
  );
});
