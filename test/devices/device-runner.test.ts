import { describe, expect, it } from 'vitest';
import { DevicePublisher } from '../../src/devices/device-publisher.ts';
import { DeviceRunner } from '../../src/devices/device-runner.ts';
import { Wire } from '../../src/devices/wire.ts';
import { FeedStore } from '../../src/feed/core/store.ts';
import { builtinProtocol } from '../../src/protocol/builtin.ts';
import { encodeFrame } from '../../src/protocol/codec.ts';
import { StreamDecoder } from '../../src/protocol/stream-decoder.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeLink } from '../support/fake-link.ts';
import { HEARTBEAT, HEARTBEAT_REPLY, hex, join, REGISTERED } from '../support/listener-bench.ts';
import { OUR_REGISTER, registerRequest, settings } from '../support/session-bench.ts';

const REGISTER = encodeFrame(registerRequest(OUR_REGISTER));

class Bench {
  readonly clock = new FakeClock();
  readonly store = new FeedStore({ epoch: 'test' });
  readonly links: FakeLink[] = [];
  readonly events: Array<{ topic: string; data: object }> = [];
  wantsBytes = false;
  readonly runner: DeviceRunner;

  constructor(changes: Parameters<typeof settings>[0] = {}) {
    this.store.listen((change) => {
      if (change.kind === 'event') this.events.push({ topic: change.topic, data: change.data });
    });
    const definition = builtinProtocol();
    this.runner = new DeviceRunner({
      settings: settings(changes),
      ports: { random: () => 0.5, localTime: () => '2026-01-01 00:00:00', parseLocalTime: () => undefined },
      publisher: this.store,
      clock: this.clock,
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
      makeWire: (_index, owner) => {
        const link = new FakeLink();
        this.links.push(link);
        return new Wire(link, { definition, makeDecoder: (of, sink) => new StreamDecoder(of, sink) }, owner);
      },
      wantsBytes: () => this.wantsBytes,
    });
    this.runner.start();
  }

  /** The newest link, as far as online. */
  online(): FakeLink {
    const link = this.link;
    link.connect();
    link.data(REGISTERED);
    link.data(HEARTBEAT_REPLY);
    return link;
  }

  get link(): FakeLink {
    const link = this.links.at(-1);
    if (link === undefined) throw new Error('no link was made');
    return link;
  }

  get state() {
    return this.store.document('devices/p1/state');
  }
}

describe('a device runner', () => {
  it('writes what the session orders, and publishes each state', () => {
    const bench = new Bench();
    bench.online();
    expect(hex(bench.link.sent)).toEqual(hex([REGISTER, HEARTBEAT]));
    expect(bench.state).toMatchObject({ device: 'p1', status: 'online', link: { status: 'connected' } });
  });

  it('keeps one timer, whatever happens', () => {
    const bench = new Bench();
    expect(bench.clock.timers).toBe(1);
    const link = bench.online();
    for (let i = 0; i < 100; i++) {
      bench.clock.advance(17);
      link.data(HEARTBEAT);
      expect(bench.clock.timers).toBe(1);
    }
    bench.runner.stop();
    expect(bench.clock.timers).toBe(0);
  });

  it('answers every frame of a chunk in its place, and publishes its figures once', () => {
    const bench = new Bench();
    const link = bench.online();
    const revs: number[] = [];
    bench.store.listen(({ kind, topic, rev }) => {
      if (kind === 'state' && topic === 'devices/p1/stats') revs.push(rev);
    });
    bench.clock.advance(2_500);
    link.takeSent();
    revs.length = 0;
    link.data(join(HEARTBEAT, HEARTBEAT, HEARTBEAT));
    expect(hex(link.takeSent())).toEqual(hex([HEARTBEAT_REPLY, HEARTBEAT_REPLY, HEARTBEAT_REPLY]));
    bench.clock.advance(3_000);
    expect(revs).toHaveLength(1);
  });

  it('publishes what a chunk changed that ended the link by what it said', () => {
    const bench = new Bench();
    const link = bench.link;
    link.connect();
    const refused = Uint8Array.from([0, 0, 0, 2, 0, 0xff]);
    link.data(join(HEARTBEAT, refused, HEARTBEAT));
    expect(bench.state).toMatchObject({ link: { status: 'backoff', reason: 'register_refused' } });
    expect(bench.clock.timers).toBe(1);
    expect(hex(link.sent)).toEqual(hex([REGISTER, HEARTBEAT_REPLY]));
  });

  it('counts the time without a link from the moment at which it was lost', () => {
    const bench = new Bench();
    const link = bench.online();
    bench.clock.advance(400);
    expect(bench.runner.awayMs()).toBe(0);
    link.close();
    bench.clock.advance(100);
    expect(bench.runner.awayMs()).toBe(100);
  });

  it('says nothing more once it is removed, whatever is still asked of it', async () => {
    const bench = new Bench();
    bench.online().data(HEARTBEAT);
    bench.runner.remove();
    bench.clock.advance(2_000);
    expect(await bench.runner.request('datetime', {}, 1_000)).toMatchObject({ code: 'device_not_online' });
    expect(bench.store.documents('devices/#')).toEqual([]);
    expect(bench.clock.timers).toBe(0);
  });

  it('drops what a replaced link still has to say', () => {
    const bench = new Bench();
    const old = bench.online();
    bench.clock.advance(12_000);
    expect(old.calls).toContain('destroy');
    bench.online();
    old.close();
    expect(bench.state?.status).toBe('online');
    expect(bench.links).toHaveLength(2);
  });

  it('goes on with a new link when one was lost in the middle of a chunk', () => {
    const bench = new Bench();
    const link = bench.online();
    link.data(join(HEARTBEAT, Uint8Array.from([0, 0, 0, 0]), HEARTBEAT));
    expect(hex(link.sent)).toEqual(hex([REGISTER, HEARTBEAT, HEARTBEAT_REPLY]));
    expect(bench.state).toMatchObject({ status: 'offline', reason: 'bad_frame' });
    bench.clock.advance(1_000);
    bench.online();
    expect(bench.state?.status).toBe('online');
  });

  it('counts the half frame of a link that it closes, and does not lay it to the next one', () => {
    const bench = new Bench();
    bench.online().data(Uint8Array.from([0, 0, 0]));
    bench.clock.advance(12_000);
    expect(bench.state?.reason).toBe('silent');
    bench.online();
    bench.clock.advance(1_000);
    expect(bench.store.document('devices/p1/stats')?.discarded_bytes).toBe(3);
    bench.clock.advance(12_000);
    expect(bench.state?.detail).toMatch(/^no valid frame for \d+ ms$/);
  });

  it('settles requests, and fails one that the link does not take', async () => {
    const bench = new Bench();
    const link = bench.online();
    const first = bench.runner.request('datetime', {}, 1_000);
    link.data(
      encodeFrame({ name: 'datetime', kind: 'reply', error: 0, fields: { datetime: '2026-01-01 00:00:00' } }),
    );
    expect(await first).toMatchObject({ ok: true, fields: { datetime: '2026-01-01 00:00:00' } });
    link.outcome = 'link_queue_full';
    expect(await bench.runner.request('datetime', {}, 1_000)).toMatchObject({
      ok: false,
      code: 'link_queue_full',
    });
    link.outcome = 'accepted';
    const third = bench.runner.request('datetime', {}, 1_000);
    bench.clock.advance(1_000);
    expect(await third).toMatchObject({ ok: false, code: 'request_timeout' });
  });

  it('evaluates a late deadline again after one turn of reading', () => {
    const bench = new Bench();
    const link = bench.online();
    bench.clock.stall(20_000);
    // The reply had been waiting in the socket all the while.
    expect(bench.state?.status).toBe('online');
    link.data(HEARTBEAT_REPLY);
    bench.clock.turn();
    expect(bench.state?.status).toBe('online');
  });

  it('gives a serial port time to be read where the loop stood still', () => {
    const bench = new Bench({ transport: 'serial' });
    const link = bench.online();
    bench.clock.advance(3_000);
    bench.clock.stall(1_800);
    bench.clock.turn();
    bench.clock.advance(9);
    expect(bench.state?.status).toBe('online');
    link.data(HEARTBEAT_REPLY);
    bench.clock.advance(1_000);
    expect(bench.state?.status).toBe('online');
  });

  it('does not keep the deadlines of a serial port waiting otherwise', () => {
    const bench = new Bench({ transport: 'serial' });
    const link = bench.online();
    link.takeSent();
    bench.clock.advance(3_000);
    expect(hex(link.takeSent())).toEqual(hex([HEARTBEAT]));
    bench.clock.advance(1_501);
    expect(bench.state?.status).toBe('stale');
  });

  it.each([
    ['a plain heartbeat', { name: 'heartbeat', kind: 'request' }, undefined, []],
    ['its answer', { name: 'heartbeat', kind: 'reply', error: 0 }, undefined, []],
    ['an answer with an error', { name: 'heartbeat', kind: 'reply', error: 1 }, undefined, ['heartbeat']],
    ['an answer that is late', { name: 'heartbeat', kind: 'reply', error: 0 }, 'late', ['heartbeat']],
    ['another message', { name: 'datetime', kind: 'request' }, undefined, ['datetime']],
  ] as const)(
    'makes an event of %s for a subscription that names no device: %j',
    (_, message, mark, expected) => {
      const store = new FeedStore({ epoch: 'e', notify: 'followed' });
      store.follow(['devices/#']);
      const names: unknown[] = [];
      store.listen((change) => change.kind === 'event' && names.push(change.data.message));
      const options = { publisher: store, clock: new FakeClock(), wantsBytes: () => false };
      new DevicePublisher('p1', options).message(message, mark);
      expect(names).toEqual(expected);
    },
  );

  it('publishes messages as events, and raw bytes only where somebody listens', () => {
    const bench = new Bench();
    const link = bench.online();
    bench.events.length = 0;
    link.data(HEARTBEAT);
    expect(bench.events).toEqual([
      {
        topic: 'devices/p1/messages',
        data: { at: bench.clock.now().wallMs, message: 'heartbeat', kind: 'request' },
      },
    ]);
    bench.events.length = 0;
    bench.wantsBytes = true;
    link.data(HEARTBEAT);
    const bytes = bench.events.filter(({ topic }) => topic === 'devices/p1/bytes').map(({ data }) => data);
    expect(bytes).toMatchObject([
      { direction: 'in', bytes: { $bytes: 'AAAAAQE=', len: 5 } },
      { direction: 'out', bytes: { $bytes: 'AAAAAgEA', len: 6 } },
    ]);
  });

  it('takes its device out of the feed when it is removed', () => {
    const bench = new Bench();
    bench.online();
    bench.runner.remove();
    expect(bench.state).toBeUndefined();
    expect(bench.store.document('devices/p1/stats')).toBeUndefined();
    expect(bench.link.calls).toEqual(['open', 'end']);
  });
});
