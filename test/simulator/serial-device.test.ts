import { describe, expect, test } from 'vitest';
import { parseLinkAddress } from '../../src/links/transports.ts';
import { seededRandom } from '../../src/simulator/random.ts';
import type { SimulatorEvent } from '../../src/simulator/settings.ts';
import { SimulatedDevice } from '../../src/simulator/simulated-device.ts';
import { systemClock } from '../../src/system/clock.ts';
import { hasPtys, openPty } from '../support/pty.ts';
import { IDENTITY, WIRE } from './device-rig.ts';

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');

function simulate(path: string, events: SimulatorEvent[] = []): SimulatedDevice {
  const parsed = parseLinkAddress(`serial:${path}`);
  if (!parsed.ok) throw new Error(parsed.problem);
  return new SimulatedDevice(
    { name: 'sim-1', address: parsed.value, identity: IDENTITY, timeZone: 'UTC' },
    { clock: systemClock, random: seededRandom(1), report: (event) => void events.push(event) },
  );
}

describe.runIf(hasPtys())('a device on a serial line', () => {
  test('answers, finds frames behind garbage, and is stopped without a trace', async () => {
    const pty = openPty();
    try {
      const events: SimulatorEvent[] = [];
      await using device = simulate(pty.path, events);
      await device.start();
      await expect.poll(() => events.map(({ kind }) => kind)).toEqual(['connected']);
      pty.write(bytes(WIRE.register + WIRE.heartbeat));
      await expect.poll(() => pty.received().toString('hex')).toBe(WIRE.registered + WIRE.beaten);
      pty.write(bytes(`0badf00dffff${WIRE.datetime}`));
      await expect.poll(() => pty.received().toString('hex')).toMatch(/000000150200[0-9a-f]{38}$/);
      await device.stop();
      expect(device.links).toBe(0);
    } finally {
      await pty.dispose();
    }
  });

  test('a port that is not there is told, and tried again', async () => {
    const events: SimulatorEvent[] = [];
    await using device = simulate('/dev/heartwire-no-such-port', events);
    await device.start();
    await expect
      .poll(() => events[0])
      .toMatchObject({ kind: 'disconnected', code: 'port_missing', retryInMs: expect.any(Number) });
  });
});
