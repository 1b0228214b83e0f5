import { describe, expect, it } from 'vitest';
import { fieldHistoryOf } from '../../../web/src/api/field-history.ts';
import { statesAt, valueAtMoment } from '../../../web/src/past/state-at.ts';

describe('a moment of the past', () => {
  it('has each device as the events before it left it, on both axes, with its alarms', () => {
    const states = statesAt([
      { at: 1, n: 1, device: 'a', kind: 'status', data: { status: 'online' } },
      { at: 2, n: 2, device: 'a', kind: 'link', data: { status: 'connected', address: '10.0.0.7:1' } },
      { at: 3, n: 3, device: 'a', kind: 'alarm', data: { message: 'm', field: 'f', level: 'alarm' } },
      { at: 4, n: 4, device: 'a', kind: 'alarm', data: { message: 'm', field: 'g', level: 'warn' } },
      { at: 5, n: 5, device: 'a', kind: 'alarm', data: { message: 'm', field: 'f', level: 'good' } },
      { at: 6, n: 6, device: 'a', kind: 'link', data: { status: 'backoff', reason: 'connect_refused' } },
      {
        at: 7,
        n: 7,
        device: 'a',
        kind: 'status',
        data: { status: 'offline', reason: 'silent', detail: 'for 10 s' },
      },
      { at: 8, n: 8, device: '', kind: 'bridge', data: {} },
    ]);
    expect(Object.fromEntries(states)).toEqual({
      a: {
        status: 'offline',
        since: 7,
        reason: 'silent',
        detail: 'for 10 s',
        link: { status: 'backoff', address: '10.0.0.7:1', since: 6, reason: 'connect_refused' },
        quality: { 'm.g': 'warn' },
      },
    });
  });

  it('loses with an instance the devices that it had, and no others', () => {
    const status = (at: number, n: number, device: string, instance: string) =>
      ({ at, n, device, kind: 'status', data: { status: 'online', instance } }) as const;
    const states = statesAt([
      status(1, 900, 'a', 'north'),
      status(1, 901, 'b', 'north'),
      status(2, 5, 'a', 'south'),
      { at: 3, n: 902, device: '', kind: 'bridge', data: { event: 'killed', instance: 'north' } },
    ]);
    expect(states.get('a')).toEqual({ status: 'online', since: 2 });
    expect(states.get('b')).toEqual({ status: 'unknown', reason: 'bridge_not_running', since: 3 });
  });

  it('drops the reason of what is over', () => {
    const states = statesAt([
      { at: 1, n: 9, device: 'a', kind: 'status', data: { status: 'offline', reason: 'silent' } },
      { at: 2, n: 10, device: 'a', kind: 'status', data: { status: 'online' } },
    ]);
    expect(states.get('a')).toEqual({ status: 'online', since: 2 });
  });

  it('has the last value before it, and none within a gap', () => {
    const history = fieldHistoryOf({
      unit: 'V',
      resolution_ms: 1000,
      points: [
        [10, 1, 3, 2],
        [20, 4, 4, 4],
        ['x', 1, 1, 1],
      ],
      gaps: [[25, 30, 'offline']],
    });
    expect(valueAtMoment(history, 22)).toBe(4);
    expect(valueAtMoment(history, 27)).toBeUndefined();
    expect(valueAtMoment(fieldHistoryOf({ points: [] }), 27)).toBeUndefined();
    const texts = fieldHistoryOf({
      points: [
        [10, null, null, 'idle'],
        [20, null, null, 'run'],
      ],
    });
    expect([valueAtMoment(texts, 15), valueAtMoment(texts, 25)]).toEqual(['idle', 'run']);
  });
});
