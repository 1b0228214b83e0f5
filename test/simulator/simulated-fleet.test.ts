import { describe, expect, test } from 'vitest';
import type { SimulatorEvent } from '../../src/simulator/settings.ts';
import { SimulatedFleet, type SimulatedFleetOptions } from '../../src/simulator/simulated-fleet.ts';
import { systemClock } from '../../src/system/clock.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeLink } from '../support/fake-link.ts';
import { IDENTITY } from './device-rig.ts';

const DIALS = { scheme: 'tcp', host: '10.0.0.7', port: 9089 } as const;

function fleet(options: Partial<SimulatedFleetOptions> = {}) {
  const clock = new FakeClock();
  const links: FakeLink[] = [];
  const made = new SimulatedFleet(
    { address: DIALS, count: 50, seed: 1, ...options },
    {
      clock,
      dial: () => {
        const link = new FakeLink();
        links.push(link);
        return link;
      },
    },
  );
  return { fleet: made, clock, links };
}

const imeis = ({ devices }: SimulatedFleet): string[] => devices.map(({ identity }) => identity.imei);

describe('SimulatedFleet', () => {
  test('the same seed gives the same devices, another seed others; no two are alike', () => {
    const first = fleet().fleet;
    expect(new Set(imeis(first)).size).toBe(50);
    expect(imeis(fleet().fleet)).toEqual(imeis(first));
    expect(imeis(fleet({ count: 3 }).fleet)).toEqual(imeis(first).slice(0, 3));
    expect(imeis(fleet({ seed: 2 }).fleet)).not.toEqual(imeis(first));
    expect(first.devices.map(({ name }) => name).slice(0, 2)).toEqual(['sim-1', 'sim-2']);
  });

  test('identities that are given go to the first devices', () => {
    const { devices } = fleet({ identities: [IDENTITY], prefix: 'psu' }).fleet;
    expect(devices[0]).toMatchObject({ name: 'psu-1', identity: IDENTITY });
    expect(devices[1]?.identity).toEqual(fleet().fleet.devices[1]?.identity);
  });

  test('a fleet does not dial all at once, and counts the frames of all', async () => {
    const { fleet: devices, clock, links } = fleet();
    await devices.start();
    expect(links.length).toBeLessThan(5);
    clock.advance(500);
    expect(links.length).toBeGreaterThan(10);
    expect(links.length).toBeLessThan(40);
    clock.advance(500);
    expect(links).toHaveLength(50);
    for (const link of links) link.connect();
    expect(devices.counts()).toEqual({ sent: 50, received: 0 });
    await devices.stop();
    expect(clock.timers).toBe(0);
  });

  test('listening devices take ports in a row; where one is taken, none is left listening', async () => {
    const events: SimulatorEvent[] = [];
    const ports = { clock: systemClock, report: (event: SimulatorEvent) => void events.push(event) };
    const any = { address: { scheme: 'tcp-listen', host: '127.0.0.1', port: 0 }, count: 1, seed: 1 } as const;
    await using holder = new SimulatedFleet(any, ports);
    await holder.start();
    const taken = Number(holder.devices[0]?.listeningAt?.split(':').at(-1));
    const row = { ...any, address: { ...any.address, port: taken - 1 }, count: 2 };
    await using late = new SimulatedFleet(row, ports);
    await expect(late.start()).rejects.toMatchObject({ code: 'address_in_use' });
    expect(late.devices.map(({ listeningAt }) => listeningAt)).toEqual([undefined, undefined]);
  });
});
