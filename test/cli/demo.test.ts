import { describe, expect, it } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { ask } from '../support/http.ts';
import { RecordedIo } from '../support/recorded-io.ts';

async function demo(...args: string[]) {
  const io = new RecordedIo();
  const code = main(['demo', '--devices', '0', ...args], io);
  const port = (): number | undefined => {
    const found = /Open {4}http:\/\/127\.0\.0\.1:(\d+)/.exec(io.printed)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  return {
    port,
    said: () => io.logged,
    code,
    [Symbol.asyncDispose]: async () => {
      io.signal('SIGINT');
      await code;
    },
  };
}

interface Shown {
  readonly device: string;
  readonly status: string;
  readonly values?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** In its first half minute everything has happened once. */
const FIRST_MINUTE = { timeout: 60_000, interval: 250 };

describe('heartwire demo', () => {
  it('is a bench and a field: values that move, an alarm, a meter that fails and comes back, a file', async () => {
    await using running = await demo('--port', '0');
    await expect.poll(running.port, FIRST_MINUTE).toBeTypeOf('number');
    const at = async (path: string) => JSON.parse((await ask(running.port() ?? 0, path)).text);
    const devices = async (): Promise<ReadonlyMap<string, Shown>> => {
      const { devices: all }: { devices: readonly Shown[] } = await at('/api/devices');
      return new Map(all.map((each) => [each.device, each]));
    };
    const said = async (device: string, message: string, field: string) =>
      (await devices()).get(device)?.values?.[message]?.[field];
    const status = async (device: string) => (await devices()).get(device)?.status;
    for (const [device, message, field] of [
      ['supply', 'measured_voltage', 'volts'],
      ['thermostat', 'climate', 'temperature'],
      ['board', 'line', 'c2'],
      ['logger', 'battery', 'charge'],
      ['meter-1', 'registers', 'power'],
      ['truck-1', 'location', 'latitude'],
    ] as const)
      await expect.poll(() => said(device, message, field), FIRST_MINUTE).toBeTypeOf('number');
    const before = await said('board', 'line', 'c2');
    await expect.poll(() => said('board', 'line', 'c2'), FIRST_MINUTE).not.toBe(before);
    await expect.poll(() => status('meter-3'), FIRST_MINUTE).toBe('offline');
    expect(await status('meter-1')).toBe('online');
    await expect.poll(() => status('meter-3'), FIRST_MINUTE).toBe('online');
    const reasons = async () => {
      const { incidents }: { incidents: { device: string; reason: string }[] } = await at('/api/incidents');
      return incidents.map(({ device, reason }) => `${device} ${reason}`);
    };
    await expect
      .poll(reasons, FIRST_MINUTE)
      .toEqual(expect.arrayContaining(['thermostat alarm', 'meter-3 offline']));
    await expect.poll(async () => (await at('/api/files')).files.length, FIRST_MINUTE).toBeGreaterThan(0);
  }, 120_000);

  it('names a port that its own like does not hold, where its port is taken', async () => {
    await using first = await demo('--port', '0');
    await expect.poll(first.port).toBeTypeOf('number');
    const taken = first.port() ?? 0;
    await using second = await demo('--port', String(taken));
    expect(await second.code).toBe(1);
    expect(second.said()).toContain(`Another program listens on 127.0.0.1:${taken}.`);
    // Beside 8080 it would be that of its JSON lines.
    expect(second.said()).not.toContain(`--port ${taken} `);
    expect(second.said()).not.toContain(`--port ${taken + 1} `);
    expect(second.said()).toMatch(/Take another port: heartwire demo --port \d+ /);
  });

  it('lets pages of other origins connect that are named', async () => {
    const [one, other] = ['http://localhost:5173', 'https://panel.example'];
    await using running = await demo('--port', '0', '--origin', one, '--origin', other);
    await expect.poll(running.port).toBeTypeOf('number');
    const allowed = async (origin: string) =>
      (await ask(running.port() ?? 0, '/api/devices', { headers: { Origin: origin } })).headers[
        'access-control-allow-origin'
      ];
    expect(await Promise.all([one, other, 'http://localhost:5174'].map(allowed))).toEqual([
      one,
      other,
      undefined,
    ]);
  });

  it('says how an origin is written', async () => {
    await using wrong = await demo('--origin', 'http://localhost:5173/');
    expect(await wrong.code).toBe(2);
    expect(wrong.said()).toContain('Write http://localhost:5173.');
  });
});
