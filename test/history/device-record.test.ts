import { describe, expect, it } from 'vitest';
import type { StateDocument } from '../../src/contract/feed/topic-documents.ts';
import { Collector } from '../../src/history/collector.ts';
import { DeviceRecord } from '../../src/history/device-record.ts';

function bench(secret: readonly string[] = [], room = 1_000, owns?: () => boolean) {
  const collector = new Collector(() => undefined);
  let now = 100_000;
  let series = 0;
  const record = new DeviceRecord({
    device: 'd',
    fields: { 'a.x': { unit: 'V' }, 'a.cells': { unit: 'mV' } },
    collector,
    now: () => now,
    conceals: (topic) => secret.includes(topic),
    owns,
    admits: () => series++ < room,
    closed: () => undefined,
  });
  const names = new Map<number, string>();
  const take = () => {
    const { batch } = collector.take(now);
    for (const { sid, field, unit, type } of batch.names) names.set(sid, `${field} ${unit} ${type}`);
    return {
      values: [...batch.sids].map((sid, index) => [names.get(sid), batch.values[index]]),
      texts: batch.texts.map(([sid, , text]) => [names.get(sid), text]),
      marks: batch.marks.map(([sid, t, reason]) => [names.get(sid), t, reason]),
      events: batch.events.map(({ kind, data }) => `${kind} ${data}`),
      over: batch.over.length,
    };
  };
  const state = (more: Partial<StateDocument>): void =>
    record.state({
      device: 'd',
      status: 'online',
      since: now,
      link: { status: 'connected', transport: 'tcp', since: now, attempt: 0 },
      ...more,
    });
  return { record, take, state, pass: (ms: number) => (now += ms) };
}

describe('what is taken down of a device', () => {
  it('are numbers, truth values, texts when they change, parts and short lists, with their units', () => {
    const { record, take } = bench();
    record.measured('a', { x: 1.5, on: true, mode: 'idle', inner: { y: 2 }, cells: [3_301, 3_305] });
    record.measured('a', { x: 1.5, on: false, mode: 'idle' });
    const { values, texts } = take();
    expect(values).toEqual([
      ['a.x V number', 1.5],
      ['a.on  boolean', 1],
      ['a.inner.y  number', 2],
      ['a.cells.0 mV number', 3_301],
      ['a.cells.1 mV number', 3_305],
      ['a.x V number', 1.5],
      ['a.on  boolean', 0],
    ]);
    expect(texts).toEqual([['a.mode  text', 'idle']]);
  });

  it('are no bytes, no long lists, nothing absent, and nothing that is no number', () => {
    const { record, take } = bench();
    const long = Array.from({ length: 65 }, () => 1);
    record.measured('a', {
      raw: { $bytes: 'AA==', len: 1 },
      wave: long,
      gone: undefined,
      none: null,
      bad: Number.NaN,
    });
    expect(take()).toMatchObject({ values: [], texts: [] });
  });

  it('are the names of an enum and its unknown numbers as texts of one field', () => {
    const { record, take } = bench();
    record.measured('a', { mode: 'idle' });
    record.measured('a', { mode: 7 });
    expect(take()).toMatchObject({
      values: [],
      texts: [
        ['a.mode  text', 'idle'],
        ['a.mode  text', '7'],
      ],
    });
  });

  it('are marks where a value becomes invalid or stale, once each', () => {
    const { record, state, take, pass } = bench();
    record.measured('a', { x: 1, inner: { y: 2 } });
    state({ quality: {} });
    pass(50);
    state({ quality: { 'a.x': 'invalid', 'a.inner': 'stale' } });
    state({ quality: { 'a.x': 'invalid', 'a.inner': 'stale' } });
    state({ quality: { 'a.x': 'alarm' } });
    expect(take().marks).toEqual([
      ['a.x V number', 100_050, 'invalid'],
      ['a.inner.y  number', 100_050, 'stale'],
    ]);
  });

  it('are changes of both axes with their reasons, and a link that fails again and again once', () => {
    const { state, take } = bench();
    const link = (status: 'connecting' | 'connected' | 'backoff', reason?: string) => ({
      status,
      transport: 'tcp' as const,
      since: 1,
      attempt: 1,
      ...(reason === undefined ? {} : { reason }),
    });
    state({ link: link('connected') });
    state({ status: 'offline', reason: 'link_lost', link: link('backoff', 'connect_refused') });
    for (let attempt = 0; attempt < 100; attempt++) {
      state({ status: 'offline', reason: 'link_lost', link: link('connecting') });
      state({ status: 'offline', reason: 'link_lost', link: link('backoff', 'connect_refused') });
    }
    state({ status: 'offline', reason: 'link_lost', link: link('backoff', 'connect_timeout') });
    expect(take().events.map((each) => each.replace(/"(?:since|attempt)":\d+,?/g, ''))).toEqual([
      expect.stringContaining('status {"status":"online"'),
      expect.stringContaining('link {"status":"connected"'),
      expect.stringContaining('"reason":"link_lost"'),
      expect.stringContaining('"was":"connected","reason":"connect_refused"'),
      expect.stringContaining('"reason":"connect_timeout"'),
    ]);
  });

  it.each([
    ['devices/d/state', 0, 0],
    ['devices/d/messages', 0, 2],
  ])('is nothing of what %s holds where that is encrypted', (topic, values, events) => {
    const { record, state, take } = bench([topic]);
    record.measured('a', { x: 1 });
    state({});
    const taken = take();
    expect([taken.values.length, taken.events.length]).toEqual([values, events]);
  });

  it('stops where there is no room for one more field, and goes on with the others', () => {
    const { record, take } = bench([], 1);
    record.measured('a', { x: 1, y: 2 });
    record.measured('a', { x: 3, y: 4 });
    expect(take().values.map(([, value]) => value)).toEqual([1, 3]);
  });

  it('is what the device said while this instance had it, and that it moved', () => {
    let owned = false;
    const { record, state, take } = bench([], 1_000, () => owned);
    const said = (): void => {
      state({ status: 'online' });
      record.measured('a', { x: 1, mode: 'idle' });
      state({ status: 'online', quality: { 'a.x': 'stale' } });
    };
    said();
    expect(take()).toMatchObject({ values: [], texts: [], marks: [], events: [] });
    owned = true;
    said();
    const own = take();
    expect([own.values.length, own.texts.length, own.marks.length, own.events.length]).toEqual([1, 1, 1, 2]);
    owned = false;
    said();
    said();
    expect(take()).toMatchObject({
      values: [],
      texts: [],
      marks: [],
      events: ['status {"status":"unknown","reason":"moved","since":100000}'],
    });
    owned = true;
    said();
    const again = take();
    expect([again.values.length, again.texts.length, again.events.length]).toEqual([1, 1, 2]);
  });

  it('ends with the device, once', () => {
    const { record, take } = bench();
    record.measured('a', { x: 1 });
    record.close();
    record.close();
    record.measured('a', { x: 2 });
    expect(take()).toMatchObject({ values: [['a.x V number', 1]], over: 1 });
  });
});
