import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HistoryWorld } from '../support/history-world.ts';

const LIMIT = { timeout: 30_000, interval: 20 };
const VALUES = 'values?device=meter&field=line.volts';

let world: HistoryWorld;
beforeEach(async () => {
  world = await new HistoryWorld().open();
});
afterEach(() => world[Symbol.asyncDispose]());

const connected = () => vi.waitFor(() => expect(world.device.connected).toBe(true), LIMIT);
const lastValues = async (): Promise<readonly unknown[]> =>
  ((await world.get(VALUES)).body.points ?? []).map(([, , , last]) => last);

describe('a bridge with a history', { timeout: 60_000 }, () => {
  it('tells every value that came, those that did not change too, with their unit', async () => {
    await world.start();
    await connected();
    for (const line of ['21.5,idle', '21.5,idle', '22.25,heat']) world.device.say(line);
    await vi.waitFor(async () => expect(await lastValues()).toEqual([21.5, 21.5, 22.25]), LIMIT);
    expect((await world.get(VALUES)).body).toMatchObject({ unit: 'V', type: 'number', resolution_ms: 0 });
    const mode = await world.get('values?device=meter&field=line.mode');
    expect(mode.body.points?.map(([, , , text]) => text)).toEqual(['idle', 'heat']);
    const { devices } = (await world.get('devices?device=meter')).body;
    expect(devices).toMatchObject([
      {
        device: 'meter',
        connections: 1,
        disconnections: 0,
        fields: [
          { field: 'line.volts', unit: 'V', type: 'number' },
          { field: 'line.mode', type: 'text' },
        ],
      },
    ]);
  });

  it('tells statuses of both axes with their reasons, alarms, and that it was started', async () => {
    await world.start();
    await connected();
    world.device.say('42,idle');
    await vi.waitFor(async () => expect(await lastValues()).toEqual([42]), LIMIT);
    world.device.hangUp();
    const story = async () =>
      (await world.get('events?from=-5m')).body.events?.map(({ kind, status, event, level }) =>
        [kind, status ?? event ?? level].join(' '),
      ) ?? [];
    await vi.waitFor(async () => expect(await story()).toContain('link backoff'), LIMIT);
    expect(await story()).toEqual(
      expect.arrayContaining([
        'bridge started',
        'link connecting',
        'link connected',
        'status online',
        'alarm alarm',
        'status offline',
      ]),
    );
    const alarms = (await world.get('events?kind=alarm&device=meter')).body.events;
    expect(alarms).toMatchObject([
      { device: 'meter', message: 'line', field: 'volts', value: 42, limit: 30 },
    ]);
    const offline = (await world.get('events?kind=status')).body.events?.filter(
      ({ status }) => status === 'offline',
    );
    expect(offline?.[0]?.reason).toBeTypeOf('string');
  });

  it('goes on in the next run, with a gap for the time in which none ran', async () => {
    await world.start();
    await connected();
    world.device.say('1,idle');
    await vi.waitFor(async () => expect(await lastValues()).toEqual([1]), LIMIT);
    await world.stop();
    await world.start();
    await vi.waitFor(async () => {
      world.device.say('2,idle');
      expect((await lastValues()).slice(0, 2)).toEqual([1, 2]);
    }, LIMIT);
    const { gaps = [] } = (await world.get(VALUES)).body;
    expect(gaps.map(([, , reason]) => reason)).toContain('bridge_not_running');
    const { devices } = (await world.get('devices')).body;
    expect(devices).toMatchObject([{ device: 'meter', connections: 2 }]);
  });

  it('keeps nothing with `history: false`, and says so', async () => {
    await world.start('history: false\n');
    expect(await world.get(VALUES)).toMatchObject({ status: 404, body: { code: 'history_off' } });
  });

  it.each([
    ['values?device=meter', 400, 'field= is missing'],
    ['values?field=line.volts', 400, 'device= is missing'],
    [`${VALUES}&from=5&to=1`, 400, 'from is not before to'],
    [`${VALUES}&from=yesterday`, 400, 'from=yesterday is no time'],
    [`${VALUES}&points=0`, 400, 'points=0 is no whole number from 1 to 10000 or "all"'],
    [`${VALUES}&points=1e3`, 400, 'points=1e3 is no whole number'],
    [`${VALUES}&form=-1h`, 400, 'form= is none of device, field, from, to, points'],
    ['values?device=nix&field=line.volts', 404, 'No device is known as "nix"'],
    ['values?device=%2B&field=line.volts', 404, 'No device is known as "+"'],
    ['values?device=meter&field=line.amps', 404, 'no field "line.amps" of meter'],
    ['events?kind=party', 400, 'kind=party is none of status, link, alarm, command, bridge'],
    ['events?device=nix', 404, 'No device is known as "nix"'],
    ['events?before=1', 400, 'before is the one that an answer named'],
    ['devices?device=nix', 404, 'No device is known as "nix"'],
    ['nothing', 404, 'There is nothing at /api/history/nothing'],
  ])('answers %s with %d', async (path, status, text) => {
    await world.start();
    const answer = await world.get(path);
    expect(answer.status).toBe(status);
    expect(answer.body.message).toContain(text);
  });
});
