import { describe, expect, it } from 'vitest';
import { datetimeReply, online, reply, SessionBench, settings } from '../../support/session-bench.ts';

const ask = (requestId: number, message: 'register' | 'heartbeat' | 'datetime' = 'datetime') =>
  ({ type: 'requestMade', requestId, message, fields: {}, timeoutMs: 2_000 }) as const;
const noon = datetimeReply('2026-01-01 12:00:00');

describe('requests', () => {
  it('are settled with the reply', () => {
    const bench = online();
    expect(bench.tell(ask(1))).toEqual(['send datetime request']);
    bench.now += 12;
    expect(bench.message(noon)).toEqual(['settle 1 ok']);
    expect(bench.outcomes.get(1)).toEqual({
      ok: true,
      error: 0,
      fields: { datetime: '2026-01-01 12:00:00' },
      roundTripMs: 12,
    });
  });

  it('carry the error code of the reply verbatim', () => {
    const bench = online();
    bench.tell(ask(1));
    bench.message({ name: 'datetime', kind: 'reply', error: -7, fields: {} });
    expect(bench.outcomes.get(1)).toMatchObject({ ok: true, error: -7, fields: {} });
  });

  it('are one per message: another is busy', () => {
    const bench = online();
    bench.tell(ask(1));
    expect(bench.tell(ask(2))).toEqual(['settle 2 request_busy']);
  });

  it('that timed out keep their slot closed until the late reply came', () => {
    const bench = online();
    bench.tell(ask(1));
    expect(bench.pass(2_000)).toEqual(['2000 settle 1 request_timeout']);
    expect(bench.tell(ask(2))).toEqual(['settle 2 request_busy']);
    expect(bench.message(noon)).toEqual([]);
    bench.pass(3_000);
    expect(bench.stats?.late_replies).toBe(1);
    expect(bench.tell(ask(3))).toEqual(['send datetime request']);
  });

  it('are free again on a new link, and fail when theirs is lost', () => {
    const bench = online();
    bench.tell(ask(1));
    const gone = { type: 'linkClosed', code: 'link_reset', detail: 'reset' } as const;
    expect(bench.tell(gone)).toEqual(['settle 1 link_lost']);
    expect(bench.tell(ask(2))).toEqual(['settle 2 device_not_online']);
    bench.pass(1_000);
    bench.tell({ type: 'linkOpened', address: 'x' });
    bench.message(reply('register'));
    expect(bench.tell(ask(3))).toEqual(['send datetime request']);
  });

  it('fail at once before the device is online, and for a register', () => {
    const bench = new SessionBench(settings());
    bench.tell({ type: 'started' });
    bench.tell({ type: 'linkOpened', address: 'x' });
    expect(bench.tell(ask(1))).toEqual(['settle 1 device_not_online']);
    bench.message(reply('register'));
    expect(bench.tell(ask(2, 'register'))).toEqual(['settle 2 request_not_allowed']);
  });

  it('that the link did not take fail with its code, and free their slot', () => {
    const bench = online();
    bench.tell(ask(1));
    const message = { name: 'datetime', kind: 'request' } as const;
    expect(bench.tell({ type: 'sendRefused', message, code: 'link_queue_full' })).toEqual([
      'settle 1 link_queue_full',
    ]);
    expect(bench.tell(ask(2))).toEqual(['send datetime request']);
  });

  it('whose reply is not as declared fail with what was seen', () => {
    const bench = online();
    bench.tell(ask(1));
    bench.tell({
      type: 'messageReceived',
      message: {
        name: 'invalid',
        kind: 'reply',
        message: 'datetime',
        field: 'datetime',
        offset: 2,
        expected: 'YYYY-MM-DD HH:MM:SS',
        seen: '"2026-13-01 00:00:00"',
      },
    });
    expect(bench.outcomes.get(1)).toMatchObject({ ok: false, code: 'invalid_reply' });
  });

  it('for a heartbeat use the beat, when none is out', () => {
    const bench = online();
    expect(bench.tell(ask(1, 'heartbeat'))).toEqual(['settle 1 request_busy']);
    bench.message(reply('heartbeat'));
    expect(bench.tell(ask(2, 'heartbeat'))).toEqual(['send heartbeat request']);
    bench.now += 5;
    expect(bench.message(reply('heartbeat'))).toEqual(['settle 2 ok']);
  });
});

describe('a round trip', () => {
  it('counts only if exactly one beat was out', () => {
    const bench = online();
    bench.pass(3_000);
    bench.now += 30;
    bench.message(reply('heartbeat'));
    bench.pass(1_000);
    expect(bench.stats?.round_trip_ms).toBeUndefined();
    bench.message(reply('heartbeat'));
    bench.pass(1_970);
    bench.now += 40;
    bench.message(reply('heartbeat'));
    bench.pass(1_000);
    expect(bench.stats?.round_trip_ms).toBe(40);
  });
});

describe('the clock of the peer', () => {
  const withClock = settings({ clock: { everyMs: 60_000 } });

  it('is asked at once and again, and estimated with an honest bound', () => {
    const bench = online(withClock);
    expect(bench.pass(0)).toEqual(['0 send datetime request']);
    bench.now += 4;
    // The device is one hour ahead.
    bench.message(datetimeReply('2026-01-01 01:00:00'));
    const clock = bench.state?.clock;
    expect(clock?.samples).toBe(1);
    expect(clock?.bound_ms).toBeGreaterThanOrEqual(502);
    expect(clock?.bound_ms).toBeLessThanOrEqual(505);
    expect(Math.abs((clock?.offset_ms ?? 0) - 3_600_498)).toBeLessThanOrEqual(2);
    const again = bench.pass(61_100).filter((order) => order.includes('datetime'));
    expect(again).toEqual([]);
  });

  it('shares the slot with the requests of others', () => {
    const bench = online(withClock);
    bench.pass(0);
    expect(bench.tell(ask(1))).toEqual(['settle 1 request_busy']);
  });
});
