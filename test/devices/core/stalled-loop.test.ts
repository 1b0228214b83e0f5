import { describe, expect, it } from 'vitest';
import { MessageCatalog } from '../../../src/devices/core/message-catalog.ts';
import { PendingLink } from '../../../src/devices/core/pending-link.ts';
import { declaredProtocol, notice, ovenCatalog } from '../../support/declared.ts';
import { APPID, dialIn, IMEI, reply, request, SessionBench, settings } from '../../support/session-bench.ts';

function online(messages = ovenCatalog()): SessionBench {
  const bench = new SessionBench(settings(), () => 0.5, messages);
  bench.tell({ type: 'started' });
  bench.tell({ type: 'linkOpened', address: '10.0.0.7:9089' });
  bench.message(reply('register'));
  bench.message(reply('heartbeat'));
  return bench;
}

const READ = { type: 'deadlineReached', afterReading: true } as const;
const offlineOrStale = ({ states }: SessionBench): string[] =>
  states.filter((state) => /^(stale|offline)/.test(state));

describe('a turn of reading that takes long itself', () => {
  it('is followed by another one, for what came meanwhile', () => {
    const bench = online();
    expect(bench.stall(4_501)).toEqual(['read once']);
    bench.skip(7_000);
    expect(bench.tell(READ)).toEqual(['read once']);
    bench.message(reply('heartbeat'));
    bench.tell(READ);
    expect(offlineOrStale(bench)).toEqual([]);
  });

  it('does not keep a silent device for ever', () => {
    const bench = online();
    const orders = bench.stall(4_501);
    while (orders.at(-1) === 'read once' && orders.length < 10) {
      bench.skip(100);
      orders.push(...bench.tell(READ));
    }
    expect(orders.filter((order) => order === 'read once')).toHaveLength(5);
    expect(orders.at(-1)).toBe('send heartbeat request');
  });
});

describe('a link without a name', () => {
  const at = (monoMs: number) => ({ monoMs, wallMs: monoMs });

  it('is closed for its silence only behind a turn of reading that was short', () => {
    const link = new PendingLink(() => '', at(0));
    const due = { type: 'deadlineReached', afterReading: false } as const;
    expect(link.handle(due, at(10_000))).toEqual([{ type: 'readOnce' }]);
    expect(link.nextDeadline()).toBeUndefined();
    // What it said came while that turn lasted.
    expect(link.handle(READ, at(15_000))).toEqual([{ type: 'readOnce' }]);
    link.handle({ type: 'messageReceived', message: request('heartbeat') }, at(15_000));
    expect(link.handle(READ, at(15_000))).toEqual([]);
    expect(link.handle(due, at(25_000))).toEqual([{ type: 'readOnce' }]);
    expect(link.handle(READ, at(25_001))).toMatchObject([{ type: 'closeLink', reason: 'silent' }]);
  });
});

describe('the time in which the process does not run', () => {
  it('is not the silence of a device whose heartbeat it could not send', () => {
    const bench = online();
    expect(bench.stall(4_400)).toEqual(['read once']);
    expect(bench.tell(READ)).toEqual(['send heartbeat request']);
    // Its reply takes 150 ms, and comes 4,550 ms behind the one before.
    expect(bench.pass(150)).toEqual([]);
    bench.message(reply('heartbeat'));
    expect(offlineOrStale(bench)).toEqual([]);
  });

  it.each([
    [0, 6_000],
    [3_000, 9_000 + 3_000],
    [60_000, 66_000 + 4_000],
  ])(
    'delays by %d ms, and one period at most, when the next report of a device is overdue',
    (stalledMs, overdueMs) => {
      const bench = new SessionBench(dialIn({ presence: { everyMs: 4_000 } }));
      bench.tell({ type: 'started' });
      const claim = { claimId: 1, address: '10.0.0.1:5', host: '10.0.0.1' };
      bench.claim({ ...claim, register: { appid: APPID, imei: IMEI } });
      bench.tell({ type: 'linkClosed', code: 'link_closed', detail: 'the peer closed' });
      const closedAt = bench.now;
      while (bench.now < 6_000 + stalledMs - 500) bench.skip(500);
      if (stalledMs === 0) bench.pass(499);
      else {
        expect(bench.stall(500)).toEqual(['read once']);
        bench.tell(READ);
      }
      expect(bench.state?.status).toBe('away');
      bench.pass(overdueMs - (bench.now - closedAt) - 1);
      expect(bench.state?.status).toBe('away');
      bench.pass(1);
      expect(bench.axes).toBe('offline (overdue), link listening (link_closed)');
    },
  );

  it('does not make values stale that could not be read meanwhile', () => {
    const bench = online();
    bench.message(notice('telemetry', { temperature: 23, set_point: 20, channels: [] }));
    bench.stall(40_000);
    bench.message(reply('heartbeat'));
    bench.tell(READ);
    expect(bench.state?.quality).toBeUndefined();
    bench.message(notice('telemetry', { temperature: 24, set_point: 20, channels: [] }));
    for (let second = 0; second < 14; second++) {
      bench.pass(1_000);
      bench.message(reply('heartbeat'));
    }
    expect(bench.state?.quality).toBeUndefined();
    bench.pass(1_000);
    expect(bench.state?.quality?.['telemetry.temperature']).toBe('stale');
  });

  it('does not part the messages of a group', () => {
    const protocol = declaredProtocol([
      ...['head', 'tail'].map((name, at) => ({ name, id: 0x21 + at, from: 'device' as const })),
      {
        name: 'block',
        from: 'device',
        assemble: { parts: ['head', 'tail'], first: 'head', last: 'tail', withinMs: 2_000 },
      },
    ]);
    const bench = online(new MessageCatalog(protocol));
    for (const id of [0x21, 0x22]) {
      const message = protocol.decode(Uint8Array.of(id));
      if (message.name !== 'declared') throw new Error('no message');
      bench.message(message);
      if (id === 0x21) expect(bench.stall(5_000)).toEqual(['read once']);
    }
    bench.tell(READ);
    expect(bench.session.stats.counts.invalid).toBe(0);
  });
});
