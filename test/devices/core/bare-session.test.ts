import { describe, expect, it } from 'vitest';
import type { BareSettings } from '../../../src/config/session-settings.ts';
import { answered, asked, notice, ovenCatalog } from '../../support/declared.ts';
import { dialIn, SessionBench, settings } from '../../support/session-bench.ts';

const opened = { type: 'linkOpened', address: '/dev/ttyUSB0' } as const;
const telemetry = notice('telemetry', { temperature: 20, set_point: 1, channels: [] });
const power = answered('read', 0, { power: 7 });
const poll = { message: 'read', fields: { unit: 1 }, everyMs: 1_000 };

function bare(changes: Partial<BareSettings> = {}): SessionBench {
  const life = { silenceMs: 10_000, polls: [], turnaroundMs: 20, ...changes };
  const bench = new SessionBench(
    settings({ transport: 'serial', bare: life, requestTimeoutMs: 300 }),
    () => 0.5,
    ovenCatalog(),
  );
  bench.tell({ type: 'started' });
  return bench;
}

const command = (requestId: number, message: string, fields = {}, timeoutMs = 2_000) =>
  ({ type: 'requestMade', requestId, message, fields, timeoutMs }) as const;

describe('a device that only talks', () => {
  it('is online with its first valid frame, without a word of ours', () => {
    const bench = bare();
    expect(bench.tell(opened)).toEqual([]);
    expect(bench.axes).toBe('unknown, link connected');
    expect(bench.message(telemetry)).toEqual([]);
    expect(bench.axes).toBe('online, link connected');
    expect(bench.state?.values).toMatchObject({ telemetry: { temperature: 20 } });
  });

  it('is offline after its silence, and its link opened anew', () => {
    const bench = bare();
    bench.tell(opened);
    bench.message(telemetry);
    expect(bench.pass(10_000)).toEqual([]);
    expect(bench.axes).toBe('online, link connected');
    expect(bench.pass(1)).toEqual(['10001 destroy']);
    expect(bench.axes).toBe('offline (silent), link backoff (silent)');
    expect(bench.pass(1_000)).toEqual(['11001 open 0']);
    bench.tell(opened);
    expect(bench.axes).toBe('offline (silent), link connected');
  });

  it('is not kept alive by bytes that are no valid message', () => {
    const bench = bare();
    bench.tell(opened);
    bench.message(telemetry);
    bench.pass(9_000);
    bench.tell({
      type: 'messageReceived',
      message: {
        name: 'invalid',
        kind: 'notice',
        message: 'telemetry',
        field: 'crc',
        offset: 4,
        expected: 'a',
        seen: 'b',
      },
    });
    bench.tell({ type: 'chunkReceived', bytes: 7, pending: 0 });
    expect(bench.pass(1_001)).toEqual(['10001 destroy']);
    expect(bench.stats?.invalid).toBe(1);
  });

  it('without a limit of silence is online as long as its link is open', () => {
    const bench = new SessionBench(
      settings({ bare: { polls: [], turnaroundMs: 0 } }),
      () => 0.5,
      ovenCatalog(),
    );
    bench.tell({ type: 'started' });
    bench.tell(opened);
    expect(bench.axes).toBe('online, link connected');
    expect(bench.pass(1_000_000)).toEqual([]);
    expect(bench.tell(command(1, 'blink'))).toEqual(['send blink notice']);
  });

  it('knows which replies can come', () => {
    const bench = bare();
    const expected = () => bench.session.expectation(bench.instant())?.replies.map(({ message }) => message);
    expect(expected()).toBeUndefined();
    bench.tell(opened);
    bench.message(telemetry);
    bench.tell(command(1, 'blink'));
    expect(expected()).toEqual([]);
    bench.tell(command(2, 'read', { unit: 3 }, 300));
    expect(expected()).toEqual(['read']);
    bench.tell(command(3, 'set', { set_point: 3 }, 400));
    expect(expected()).toEqual(['read', 'set']);
    bench.message(answered('set', 0));
    expect(expected()).toEqual(['read']);
    // It may come late, for as long as another is refused; then nothing is awaited.
    expect(bench.pass(300)).toEqual(['300 settle 2 request_timeout']);
    expect(bench.session.expectation(bench.instant())?.awaited).toEqual([]);
    expect(expected()).toEqual(['read']);
    bench.pass(300);
    expect(expected()).toEqual([]);
  });

  it('takes commands at any time, one of each name', () => {
    const bench = bare();
    bench.tell(opened);
    expect(bench.tell(command(1, 'set', { set_point: 3 }))).toEqual(['settle 1 device_not_online']);
    bench.message(telemetry);
    expect(bench.tell(command(2, 'read', { unit: 3 }))).toEqual(['send read request']);
    expect(bench.tell(command(3, 'read', { unit: 3 }))).toEqual(['settle 3 request_busy']);
    expect(bench.tell(command(4, 'blink'))).toEqual(['send blink notice']);
    expect(bench.message(power)).toEqual(['settle 2 ok']);
  });

  it('knows no heartbeat, and no other message that is not declared', () => {
    const bench = bare();
    bench.tell(opened);
    bench.message(telemetry);
    expect(bench.tell(command(1, 'heartbeat'))).toEqual(['settle 1 message_unknown']);
  });

  it('does not count the time in which we slept as its silence', () => {
    const bench = bare();
    bench.tell(opened);
    bench.message(telemetry);
    expect(bench.stall(3_600_000)).toEqual(['read once']);
    expect(bench.tell({ type: 'deadlineReached', afterReading: true })).toEqual([]);
    expect(bench.axes).toBe('online, link connected');
    expect(bench.pass(5_000)).toEqual([]);
    expect(bench.pass(1)).toEqual(['3605001 destroy']);
  });

  it('is not online because another host on its line asks', () => {
    const bench = bare();
    bench.tell(opened);
    expect(bench.message(asked('read', { unit: 1 }))).toEqual([]);
    expect(bench.axes).toBe('unknown, link connected');
  });
});

describe('a device that only answers', () => {
  it('is asked at once and then on its cadence, whenever it answers', () => {
    const bench = bare({ polls: [poll] });
    expect(bench.tell(opened)).toEqual(['send read request']);
    bench.now += 30;
    expect(bench.message(power)).toEqual([]);
    expect(bench.axes).toBe('online, link connected');
    expect(bench.state?.values).toEqual({ read: { power: 7 } });
    expect(bench.pass(969)).toEqual([]);
    expect(bench.pass(1)).toEqual(['1000 send read request']);
  });

  it('is asked one thing at a time, with a pause between', () => {
    const bench = bare({ polls: [poll, { message: 'set', fields: { set_point: 1 }, everyMs: 5_000 }] });
    bench.tell(opened);
    expect(bench.pass(100)).toEqual([]);
    bench.message(power);
    expect(bench.pass(19)).toEqual([]);
    expect(bench.pass(1)).toEqual(['120 send set request']);
    bench.message(answered('set'));
    expect(bench.pass(1_000)).toEqual(['1000 send read request']);
  });

  it('that does not answer is asked again, though not before its answer could be late', () => {
    const bench = bare({ polls: [poll] });
    bench.tell(opened);
    expect(bench.pass(3_000)).toEqual([
      '1000 send read request',
      '2000 send read request',
      '3000 send read request',
    ]);
    expect(bench.stats?.timeouts).toBe(3);
    bench.message(power);
    bench.now += 700;
    bench.message(power);
    bench.pass(1_000);
    expect(bench.stats?.unsolicited_replies).toBe(1);
  });

  it('that does not answer is asked again long before its next time, after longer and longer pauses', () => {
    const bench = bare({ polls: [{ ...poll, everyMs: 10_000 }] });
    bench.tell(opened);
    // 300 ms for the reply, and 300 ms for a late one; then 600, 1200 and 2400 ms behind the time-outs.
    expect(bench.pass(9_000)).toEqual([
      '600 send read request',
      '1500 send read request',
      '3000 send read request',
      '5700 send read request',
    ]);
    expect(bench.pass(1_000)).toEqual(['10000 send read request']);
    bench.message(power);
    // It was answered: its pace is what it was.
    expect(bench.pass(10_000)).toEqual(['20000 send read request']);
  });

  it('whose answer is late does not answer the next question with it', () => {
    const bench = bare({ polls: [{ ...poll, everyMs: 400 }] });
    bench.tell(opened);
    expect(bench.pass(599)).toEqual([]);
    bench.message(power);
    expect(bench.state?.values).toBeUndefined();
    expect(bench.pass(1_000)).toContain('619 send read request');
    expect(bench.stats?.late_replies).toBe(1);
  });

  it('is offline when nothing came for its silence, though it is asked all the time', () => {
    const bench = bare({ polls: [poll] });
    bench.tell(opened);
    bench.message(power);
    const orders = bench.pass(10_001);
    expect(orders.at(-1)).toBe('10001 destroy');
    expect(bench.axes).toBe('offline (silent), link backoff (silent)');
    expect(bench.state?.quality).toEqual({ 'read.power': 'stale' });
  });

  it('gets a command when the line is free, and the poll that is due after it', () => {
    const bench = bare({ polls: [poll] });
    bench.tell(opened);
    bench.message(power);
    bench.pass(1_000);
    expect(bench.tell(command(1, 'set', { set_point: 3 }))).toEqual([]);
    expect(bench.tell(command(2, 'set', { set_point: 4 }))).toEqual(['settle 2 request_busy']);
    bench.message(power);
    expect(bench.pass(20)).toEqual(['1020 send set request']);
    bench.pass(990);
    expect(bench.message(answered('set'))).toEqual([]);
    expect(bench.pass(20)).toEqual(['2030 send read request']);
  });

  it('does not let callers starve the polls', () => {
    const bench = bare({ polls: [poll], turnaroundMs: 0 });
    bench.tell(opened);
    bench.message(power);
    bench.pass(1_000);
    bench.tell(command(1, 'set', { set_point: 3 }));
    bench.tell(command(2, 'blink'));
    expect(bench.message(power)).toEqual(['send set request']);
    bench.pass(1_000);
    expect(bench.message(answered('set'))).toContain('send read request');
    expect(bench.message(power)).toEqual(['send blink notice']);
  });

  it('never gets a command whose time is up while the line was not free', () => {
    const bench = bare({ polls: [poll] });
    bench.tell(opened);
    bench.message(power);
    bench.pass(1_000);
    bench.tell(command(1, 'blink', {}, 100));
    expect(bench.pass(100)).toEqual(['1100 settle 1 request_expired']);
    expect(bench.pass(2_000).join()).not.toContain('blink');
  });

  it('fails what waits for its turn when the link is lost', () => {
    const bench = bare({ polls: [poll] });
    bench.tell(opened);
    bench.message(power);
    bench.pass(1_000);
    bench.tell(command(1, 'blink'));
    expect(bench.tell({ type: 'linkClosed', code: 'port_unplugged', detail: 'gone' })).toEqual([
      'settle 1 link_lost',
    ]);
  });
});

describe('a device without a register that dials in', () => {
  let claimId = 0;
  const dialled = () => {
    const life = { silenceMs: 10_000, polls: [], turnaroundMs: 20 };
    const bench = new SessionBench(dialIn({ bare: life }), () => 0.5, ovenCatalog());
    bench.tell({ type: 'started' });
    return bench;
  };
  const dials = (bench: SessionBench) =>
    bench.claim({ claimId: ++claimId, address: `10.0.0.1:${50_000 + claimId}`, host: '10.0.0.1' });

  it('is not online by dialling again and again, though its link is held then', () => {
    const bench = dialled();
    for (let i = 0; i < 4; i++) dials(bench);
    expect(bench.axes).toBe('unknown (duplicate_identity), link connected');
    bench.pass(9_000);
    bench.message(telemetry);
    expect(bench.axes).toBe('online (duplicate_identity), link connected');
    for (let at = 9; at < 63; at += 9) {
      bench.pass(9_000);
      bench.message(telemetry);
    }
    expect(bench.axes).toBe('online, link connected');
  });

  it('is asked nothing over a new link before it has spoken there', () => {
    const bench = dialled();
    dials(bench);
    bench.message(telemetry);
    dials(bench);
    expect(bench.axes).toBe('online, link connected');
    expect(bench.tell(command(1, 'blink'))).toEqual(['settle 1 device_not_online']);
    expect(bench.outcomes.get(1)).toMatchObject({ detail: expect.stringContaining('new link') });
    bench.message(telemetry);
    expect(bench.tell(command(2, 'blink'))).toEqual(['send blink notice']);
  });
});
