import { describe, expect, test } from 'vitest';
import { HeartwireError } from '../../src/errors.ts';
import { damage } from '../../src/simulator/faults.ts';
import { seededRandom } from '../../src/simulator/random.ts';
import { DeviceRig, settle, WIRE } from './device-rig.ts';

/** All that a listening device with this fault sends in answer to 100 heartbeats and the register before them. */
async function answers(fault: string, seed: number): Promise<string> {
  const rig = await new DeviceRig('listens', fault, {}, seed).up();
  rig.receive(WIRE.register, WIRE.heartbeat.repeat(100));
  return rig.sent();
}

const whole = WIRE.registered + WIRE.beaten.repeat(100);

describe('faults that change bytes', () => {
  test.each([
    ['drop=0.05', (sent: string) => expect(sent.length).toBeLessThan(whole.length)],
    ['corrupt=0.05', (sent: string) => expect(sent.length).toBe(whole.length)],
    ['garbage=0.5', (sent: string) => expect(sent.length).toBeGreaterThan(whole.length)],
  ])('%s: the same bytes for a seed, others for another', async (fault, expectLength) => {
    const sent = await answers(fault, 7);
    expect(sent).not.toBe(whole);
    expectLength(sent);
    expect(await answers(fault, 7)).toBe(sent);
    expect(await answers(fault, 8)).not.toBe(sent);
  });

  test.each([
    ['drop', '0000000108'],
    ['corrupt', '0000000108'],
  ] as const)('%s hits the share of bytes that was asked for', (kind, frame) => {
    const random = seededRandom(1);
    const bytes = new Uint8Array(Buffer.from(frame.repeat(20_000), 'hex'));
    const sent = damage(bytes, { [kind]: 0.01 }, random);
    const hits =
      kind === 'drop' ? bytes.length - sent.length : sent.filter((byte, at) => byte !== bytes[at]).length;
    // 1,000 are expected; six standard deviations (31.5) either side.
    expect(hits).toBeGreaterThan(810);
    expect(hits).toBeLessThan(1_190);
  });

  test('drop=1 sends nothing, corrupt=1 no right byte, garbage=1 puts 1 to 16 bytes before a whole frame', () => {
    const frame = Uint8Array.from(Buffer.from(WIRE.beaten, 'hex'));
    const random = seededRandom(2);
    expect(damage(frame, { drop: 1 }, random)).toHaveLength(0);
    expect(damage(frame, { corrupt: 1 }, random).some((byte, at) => byte === frame[at])).toBe(false);
    for (let round = 0; round < 200; round += 1) {
      const sent = damage(frame, { garbage: 1 }, random);
      expect(Buffer.from(sent).toString('hex').endsWith(WIRE.beaten)).toBe(true);
      expect(sent.length - frame.length).toBeGreaterThanOrEqual(1);
      expect(sent.length - frame.length).toBeLessThanOrEqual(16);
    }
  });

  test('trickle: one byte at a time', async () => {
    const rig = await new DeviceRig('listens', 'trickle=50ms').up();
    rig.receive(WIRE.heartbeat, WIRE.heartbeat);
    const seen = [rig.sent()];
    for (let tick = 0; tick < 12; tick += 1) {
      rig.clock.advance(50);
      seen.push(rig.sent());
    }
    expect(seen).toEqual(['00', '00', '00', '02', '01', '00', '00', '00', '00', '02', '01', '00', '']);
  });

  test('a trickling line that cannot keep up loses whole frames and keeps its bounds', async () => {
    const rig = await new DeviceRig('listens', 'trickle=1ms').up();
    rig.receive(WIRE.heartbeat.repeat(10_000));
    rig.clock.advance(60_000);
    const sent = rig.sent();
    expect(sent).toBe(WIRE.beaten.repeat(sent.length / WIRE.beaten.length));
    expect(sent.length / 2).toBeLessThanOrEqual(16 * 1024 + 1);
    expect(sent.length / 2).toBeGreaterThan(16 * 1024 - 6);
  });
});

describe('faults in time', () => {
  test('stall: stands still for its time, again and again, and catches up', async () => {
    const rig = await new DeviceRig('listens', 'stall=2s').up();
    const answeredAtS: number[] = [];
    for (let second = 1; second <= 16; second += 1) {
      rig.clock.advance(1_000);
      rig.receive(WIRE.heartbeat);
      answeredAtS.push(rig.sent().length / WIRE.beaten.length);
    }
    // Stands still from 6 s to 8 s and from 14 s to 16 s; then all that waited is answered.
    expect(answeredAtS).toEqual([1, 1, 1, 1, 1, 0, 0, 3, 1, 1, 1, 1, 1, 0, 0, 3]);
    expect(rig.kinds()).toEqual(['listening', 'connected', 'stalled', 'resumed', 'stalled', 'resumed']);
  });

  test('a stall that ends does not thaw what was frozen by hand', async () => {
    const rig = await new DeviceRig('listens', 'stall=1s').up();
    rig.device.freeze();
    rig.clock.advance(4_500);
    rig.receive(WIRE.heartbeat);
    expect(rig.sent()).toBe('');
    rig.device.thaw();
    expect(rig.sent()).toBe(WIRE.beaten);
  });

  test('half-open: silent for ever without closing; the next link works until its time', async () => {
    const rig = await new DeviceRig('listens', 'half-open=5s').up();
    rig.clock.advance(4_999);
    rig.receive(WIRE.heartbeat);
    expect(rig.sent()).toBe(WIRE.beaten);
    rig.clock.advance(1);
    rig.receive(WIRE.heartbeat);
    rig.clock.advance(3_600_000);
    expect(rig.sent()).toBe('');
    expect(rig.link.isOpen).toBe(true);
    expect(rig.kinds()).toContain('half_open');
    rig.comeIn();
    rig.receive(WIRE.heartbeat);
    expect(rig.sent()).toBe(WIRE.beaten);
  });

  test('half-open: a device that dials stops beating and does not hang up', async () => {
    const rig = await new DeviceRig('dials', 'half-open=5s', { heartbeatEveryMs: 1_000 }).up();
    rig.receive(WIRE.registered);
    rig.clock.advance(5_000);
    rig.sent();
    rig.clock.advance(3_600_000);
    expect(rig.sent()).toBe('');
    expect(rig.link.calls).toEqual(['open']);
  });

  test('late-reply: every reply comes so much later, in order', async () => {
    const rig = await new DeviceRig('listens', 'late-reply=4s').up();
    rig.receive(WIRE.register);
    rig.clock.advance(1_000);
    rig.receive(WIRE.heartbeat);
    rig.clock.advance(2_999);
    expect(rig.sent()).toBe('');
    rig.clock.advance(1);
    expect(rig.sent()).toBe(WIRE.registered);
    rig.clock.advance(1_000);
    expect(rig.sent()).toBe(WIRE.beaten);
  });

  test('short: registers, beats once, hangs up, and returns after its time', async () => {
    const rig = await new DeviceRig('dials', 'short=30s', { early: ['heartbeat'] }).up();
    rig.receive(WIRE.beaten, WIRE.registered);
    expect(rig.sent()).toBe(WIRE.heartbeat + WIRE.register + WIRE.heartbeat);
    expect(rig.link.calls).toEqual(['open']);
    rig.receive(WIRE.beaten);
    await settle();
    expect(rig.link.calls).toEqual(['open', 'end']);
    rig.clock.advance(29_999);
    expect(rig.links).toHaveLength(1);
    rig.clock.advance(1);
    expect(rig.links).toHaveLength(2);
  });
});

describe('faults in manners', () => {
  test('refuse: answers register with -1, and everything else as ever', async () => {
    const rig = await new DeviceRig('listens', 'refuse').up();
    rig.receive(WIRE.register, WIRE.heartbeat);
    expect(rig.sent()).toBe(WIRE.refused + WIRE.beaten);
    expect(rig.kinds()).not.toContain('peer_registered');
  });

  test.each(['dials', 'listens'] as const)(
    'echo: a device that %s returns the bytes, whatever they are',
    async (way) => {
      const rig = await new DeviceRig(way, 'echo').up();
      rig.receive(WIRE.register);
      rig.receive('ffffffff', '00');
      rig.clock.advance(60_000);
      expect(rig.sent()).toBe(`${WIRE.register}ffffffff00`);
    },
  );

  test.each([
    ['dials', 'refuse', /"refuse" does not fit.*--listen/],
    ['listens', 'short', /"short" does not fit.*--connect/],
  ] as const)('a device that %s refuses the fault %s', (way, fault, message) => {
    const make = (): DeviceRig => new DeviceRig(way, fault);
    expect(make).toThrow(HeartwireError);
    expect(make).toThrow(message);
  });
});
