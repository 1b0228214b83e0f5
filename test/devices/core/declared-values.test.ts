import { describe, expect, it } from 'vitest';
import { valueAt } from '../../../src/devices/core/state-value.ts';
import { answered, asked, notice, ovenCatalog } from '../../support/declared.ts';
import { reply, SessionBench, settings } from '../../support/session-bench.ts';

const telemetry = (temperature: number, set_point = 20, channels: number[] = []) =>
  notice('telemetry', { temperature, set_point, channels });

function oven(): SessionBench {
  const bench = new SessionBench(settings(), () => 0.5, ovenCatalog());
  bench.tell({ type: 'started' });
  bench.tell({ type: 'linkOpened', address: '10.0.0.7:9089' });
  bench.message(reply('register'));
  bench.message(reply('heartbeat'));
  return bench;
}

describe('the values of declared messages', () => {
  it('are in the state, one change for one message', () => {
    const bench = oven();
    const before = bench.states.length;
    bench.message(telemetry(23.14, 20, [1, 2]));
    expect(bench.states.length).toBe(before + 1);
    expect(bench.state?.values).toEqual({
      telemetry: { temperature: 23.14, set_point: 20, channels: [1, 2] },
    });
    expect(bench.state).not.toHaveProperty('quality');
  });

  it('that stay the same are no change', () => {
    const bench = oven();
    bench.message(telemetry(23.14, 20, [1, 2]));
    const before = bench.states.length;
    bench.message(telemetry(23.14, 20, [1, 2]));
    expect(bench.states.length).toBe(before);
  });

  it('of each message are a change of their own, also where several come in one chunk', () => {
    const bench = oven();
    const before = bench.states.length;
    const told: unknown[] = [];
    for (const temperature of [100, 23]) {
      bench.tell({ type: 'messageReceived', message: telemetry(temperature) });
      told.push(bench.state?.values?.telemetry);
    }
    bench.tell({ type: 'chunkReceived', bytes: 40, pending: 0 });
    expect(told).toMatchObject([{ temperature: 100 }, { temperature: 23 }]);
    expect(bench.states.length).toBe(before + 2);
  });

  it('share what did not change, so that a difference is found at a glance', () => {
    const bench = oven();
    bench.message(telemetry(23.14, 20, [1, 2]));
    const before = bench.state?.values;
    bench.message(answered('read', 0, { power: 5 }));
    expect(bench.state?.values?.telemetry).toBe(before?.telemetry);
    const channels = (values: typeof before) => valueAt(values, ['telemetry', 'channels']);
    bench.message(telemetry(23.15, 20, [1, 2]));
    expect(channels(bench.state?.values)).toBeDefined();
    expect(channels(bench.state?.values)).toBe(channels(before));
  });

  it('that say "no value" are absent, and invalid', () => {
    const bench = oven();
    bench.message(notice('telemetry', { set_point: 20, channels: [] }));
    expect(bench.state?.values).toEqual({ telemetry: { set_point: 20, channels: [] } });
    expect(bench.state?.quality).toEqual({ 'telemetry.temperature': 'invalid' });
  });

  it('of a reply count on success, and not of an error or too late', () => {
    const bench = oven();
    const read = {
      type: 'requestMade',
      requestId: 1,
      message: 'read',
      fields: { unit: 1 },
      timeoutMs: 1_000,
    } as const;
    bench.tell(read);
    bench.message(answered('read', -1, { power: 1 }));
    expect(bench.state?.values).toBeUndefined();
    bench.tell(read);
    bench.pass(1_000);
    bench.message(answered('read', 0, { power: 2 }));
    expect(bench.state?.values).toBeUndefined();
    bench.tell(read);
    bench.message(answered('read', 0, { power: 3 }));
    expect(bench.state?.values).toEqual({ read: { power: 3 } });
  });

  it('of a device that wants to know that they arrived are acknowledged', () => {
    const bench = oven();
    expect(bench.message(asked('report', { hours: 7 }))).toEqual(['send report reply 0']);
    expect(bench.state?.values).toEqual({ report: { hours: 7 } });
  });
});

describe('values are stale', () => {
  it('when their message stays away for half as long again as declared, and until it comes', () => {
    const bench = oven();
    bench.message(telemetry(23));
    for (let second = 0; second < 14; second++) {
      bench.pass(1_000);
      bench.message(reply('heartbeat'));
    }
    expect(bench.state?.quality).toBeUndefined();
    bench.pass(1_000);
    expect(bench.state?.status).toBe('online');
    expect(bench.state?.quality).toEqual({
      'telemetry.temperature': 'stale',
      'telemetry.set_point': 'stale',
      'telemetry.channels': 'stale',
    });
    bench.message(telemetry(23));
    expect(bench.state?.quality).toBeUndefined();
  });

  it('when the device is offline, in the same change, and stay so until they are said again', () => {
    const bench = oven();
    bench.message(telemetry(50));
    const before = bench.states.length;
    bench.tell({ type: 'linkClosed', code: 'link_reset', detail: 'reset' });
    expect(bench.states.length).toBe(before + 1);
    expect(bench.state?.quality?.['telemetry.temperature']).toBe('stale');
    bench.pass(1_000);
    bench.tell({ type: 'linkOpened', address: 'x' });
    bench.message(reply('register'));
    expect(bench.state?.status).toBe('online');
    expect(bench.state?.quality?.['telemetry.temperature']).toBe('stale');
    bench.message(telemetry(50));
    expect(bench.state?.quality).toEqual({ 'telemetry.temperature': 'warn' });
  });
});

describe('limits', () => {
  it('are told when they are crossed, to either side and back, once each', () => {
    const bench = oven();
    const steps: [number, string | undefined][] = [
      [40, undefined],
      [40.01, 'good > warn above 40'],
      [41, undefined],
      [60.01, 'warn > alarm above 60'],
      [50, 'alarm > warn above 40'],
      [-1, 'warn > warn below 0'],
      [20, 'warn > good below 0 cleared'],
      [20, undefined],
    ];
    for (const [value, told] of steps) {
      bench.alarms.length = 0;
      bench.message(telemetry(value));
      const [alarm] = bench.alarms;
      const words =
        alarm &&
        `${alarm.previous} > ${alarm.level} ${alarm.direction} ${alarm.limit}${alarm.cleared ? ' cleared' : ''}`;
      expect([value, words]).toEqual([value, told]);
    }
  });

  it('say which value crossed them, and where', () => {
    const bench = oven();
    bench.message(telemetry(20, 20, [10, 201, 250]));
    expect(bench.alarms).toEqual([
      {
        message: 'telemetry',
        field: 'channels',
        level: 'alarm',
        previous: 'good',
        cleared: false,
        value: 201,
        limit: 200,
        direction: 'above',
        index: 1,
      },
    ]);
    expect(bench.state?.quality).toEqual({ 'telemetry.channels': 'alarm' });
  });

  it('are judged where a value was last known, when it is absent meanwhile', () => {
    const bench = oven();
    bench.message(telemetry(61));
    bench.alarms.length = 0;
    bench.message(notice('telemetry', { set_point: 1, channels: [] }));
    bench.message(telemetry(61));
    expect(bench.alarms).toEqual([]);
    expect(bench.state?.quality).toEqual({ 'telemetry.temperature': 'alarm' });
  });
});
