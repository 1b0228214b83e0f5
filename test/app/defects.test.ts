import { describe, expect, it, vi } from 'vitest';
import { PendingLink } from '../../src/devices/core/pending-link.ts';
import type { DeviceReading } from '../../src/devices/device-observer.ts';
import { DeviceRunner } from '../../src/devices/device-runner.ts';
import { Wire, type WireOwner } from '../../src/devices/wire.ts';
import type { WireCodec } from '../../src/devices/wire-codec.ts';
import { FeedStore } from '../../src/feed/core/store.ts';
import { builtinProtocol } from '../../src/protocol/builtin.ts';
import { encodeFrame } from '../../src/protocol/codec.ts';
import { StreamDecoder } from '../../src/protocol/stream-decoder.ts';
import { Replay } from '../../src/replay/replay.ts';
import { traceFixture } from '../../src/testing/index.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeLink } from '../support/fake-link.ts';
import {
  DATETIME,
  HEARTBEAT,
  HEARTBEAT_REPLY,
  hex,
  join,
  ListenerBench,
  REGISTERED,
} from '../support/listener-bench.ts';
import { dialIn, OUR_REGISTER, registerRequest, settings } from '../support/session-bench.ts';

const TOLD = 'TypeError: the clock is broken';
const broken = (): never => {
  throw new TypeError('the clock is broken');
};

/** A dialled device, and each of the places at which something may throw that should not. */
class Bench {
  readonly clock = new FakeClock();
  readonly store = new FeedStore({ epoch: 'test' });
  readonly links: FakeLink[] = [];
  readonly errors: object[] = [];
  readonly retired: DeviceReading[] = [];
  localTime = () => '2026-01-01 00:00:00';
  decoding = (): void => undefined;
  publishing = (): void => undefined;
  readonly runner: DeviceRunner;

  constructor(of = settings()) {
    this.runner = new DeviceRunner({
      settings: of,
      ports: { random: () => 0.5, localTime: () => this.localTime(), parseLocalTime: () => undefined },
      publisher: {
        publishState: (topic, state) => {
          this.publishing();
          this.store.publishState(topic, state);
        },
        publishEvent: (topic, data) => this.store.publishEvent(topic, data),
        removeState: (topic) => this.store.removeState(topic),
      },
      clock: this.clock,
      log: {
        info: () => undefined,
        warn: () => undefined,
        error: (fields, text) => void this.errors.push({ ...fields, text }),
      },
      makeWire: (_index, owner) => this.wire(owner),
      wantsBytes: () => false,
      retired: (reading) => void this.retired.push(reading),
    });
    this.runner.start();
  }

  wire(owner: WireOwner): Wire {
    const link = new FakeLink();
    this.links.push(link);
    const makeDecoder: WireCodec['makeDecoder'] = (definition, sink) => {
      this.decoding();
      return new StreamDecoder(definition, sink);
    };
    return new Wire(link, { definition: builtinProtocol(), makeDecoder }, owner);
  }

  online(): FakeLink {
    const link = this.links.at(-1);
    if (link === undefined) throw new Error('no link was made');
    link.connect();
    link.data(REGISTERED);
    link.data(HEARTBEAT_REPLY);
    return link;
  }

  get state() {
    return this.store.document('devices/p1/state');
  }
}

describe('a defect with a dialled device', () => {
  it('closes its link, says so, and fails what was asked of it', async () => {
    const bench = new Bench();
    const link = bench.online();
    const asked = bench.runner.request('heartbeat', {}, 5_000);
    const busy = bench.runner.request('datetime', {}, 5_000);
    bench.localTime = broken;
    link.data(join(HEARTBEAT, DATETIME, HEARTBEAT));
    expect(link.calls).toContain('destroy');
    expect(bench.state).toMatchObject({
      status: 'offline',
      reason: 'internal_error',
      link: { status: 'failed', reason: 'internal_error', detail: TOLD },
    });
    for (const outcome of [asked, busy]) expect(await outcome).toMatchObject({ ok: false });
    expect(await asked).toMatchObject({ code: 'internal_error', detail: TOLD });
    expect(bench.errors).toEqual([
      expect.objectContaining({
        device: 'p1',
        code: 'internal_error',
        err: expect.objectContaining({ stack: expect.stringContaining('defects.test.ts') }),
        text: expect.stringMatching(/defect of Heartwire.*the clock is broken at .*defects\.test\.ts/),
      }),
    ]);
    // What it had counted is not lost.
    expect(bench.retired.map(({ counts, tally }) => [counts.connects, tally.lives])).toEqual([[1, 1]]);
    expect(bench.runner.reading.counts.connects).toBe(0);
  });

  it('is followed by a new attempt, later each time, until ten minutes are well', () => {
    const bench = new Bench();
    const pauses: number[] = [];
    for (let time = 0; time < 7; time++) {
      bench.localTime = broken;
      bench.online().data(DATETIME);
      const links = bench.links.length;
      for (let ms = 0; bench.links.length === links; ms += 500) {
        if (ms > 60_000) throw new Error('it is not dialled again');
        bench.clock.advance(500);
        if (bench.links.length > links) pauses.push(ms + 500);
      }
      if (time < 5) continue;
      bench.localTime = () => '2026-01-01 00:00:00';
      const link = bench.online();
      expect(bench.state).toMatchObject({ status: 'online', link: { status: 'connected' } });
      expect(bench.state).not.toHaveProperty('reason');
      for (let beat = 0; beat < 210; beat++) {
        bench.clock.advance(3_000);
        link.data(HEARTBEAT_REPLY);
      }
      link.close();
      bench.clock.advance(1_000);
    }
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 1_000]);
    expect(bench.clock.timers).toBe(1);
  });

  it('that shows at a deadline is held as well', () => {
    const bench = new Bench();
    bench.online();
    bench.publishing = broken;
    // Its silence is to be told, and cannot be; nor can the failure.
    bench.clock.advance(5_000);
    expect(bench.errors).toHaveLength(2);
    bench.publishing = () => undefined;
    bench.clock.advance(30_000);
    expect(bench.state).toMatchObject({ status: 'offline', reason: 'internal_error' });
    bench.clock.advance(30_000);
    bench.online();
    expect(bench.state?.status).toBe('online');
  });

  it('that shows where its link is made is held as well', () => {
    const bench = new Bench();
    bench.online().close();
    bench.decoding = broken;
    bench.clock.advance(1_000);
    expect(bench.state).toMatchObject({ link: { status: 'failed', detail: TOLD } });
    bench.decoding = () => undefined;
    bench.clock.advance(2_000);
    bench.online();
    expect(bench.state?.status).toBe('online');
  });

  it('leaves nothing behind where the device is stopped meanwhile', () => {
    const bench = new Bench();
    bench.publishing = broken;
    bench.links[0]?.connect();
    expect(bench.clock.timers).toBe(1);
    bench.runner.stop();
    expect(bench.clock.timers).toBe(0);
    bench.clock.advance(60_000);
    expect(bench.links).toHaveLength(1);
  });
});

describe('a defect with a device that dials in', () => {
  const register = (imei: string) =>
    encodeFrame(registerRequest({ appid: '996da38d-a7be-4947-aa4c-f8208b5f4ade', imei }));

  it('closes its link and no other, and the device may come back', () => {
    const bench = new ListenerBench();
    const [one, other] = [bench.dialIn('10.0.0.1'), bench.dialIn('10.0.0.2')];
    one.data(register('869858030720693'));
    other.data(register('869858030720701'));
    bench.localTime = broken;
    one.data(DATETIME);
    expect([one.isOpen, other.isOpen]).toEqual([false, true]);
    expect(bench.state('869858030720693')).toMatchObject({
      status: 'offline',
      reason: 'internal_error',
      link: { status: 'listening', reason: 'internal_error' },
    });
    other.takeSent();
    other.data(HEARTBEAT);
    expect(hex(other.sent)).toEqual(hex([HEARTBEAT_REPLY]));
    bench.dialIn('10.0.0.1').data(register('869858030720693'));
    expect(bench.state('869858030720693')).toMatchObject({ status: 'online' });
  });

  it('refuses the links that claimed it meanwhile', () => {
    const bench = new Bench(dialIn());
    const refused: string[] = [];
    const claim = (claimId: number): void =>
      bench.runner.claim({
        claimId,
        address: '10.0.0.1:1',
        host: '10.0.0.1',
        register: OUR_REGISTER,
        wire: bench.wire(bench.runner),
        attached: () => [],
        refused: (why) => void refused.push(`${claimId}: ${why}`),
      });
    bench.publishing = () => {
      bench.publishing = () => undefined;
      claim(2);
      broken();
    };
    claim(1);
    expect(refused).toEqual([`2: ${TOLD}`]);
    expect(bench.state).toMatchObject({ link: { status: 'listening', reason: 'internal_error' } });
  });

  it.each([
    ['before it was opened', () => vi.spyOn(Wire.prototype, 'open').mockImplementationOnce(broken)],
    ['behind that', () => vi.spyOn(PendingLink.prototype, 'nextDeadline').mockImplementationOnce(broken)],
  ])('closes a link that could not be received, %s, and counts it no more', async (_, breakIt) => {
    const bench = new ListenerBench();
    const spy = breakIt();
    const link = bench.dialIn();
    spy.mockRestore();
    await Promise.resolve();
    expect(link.isOpen).toBe(false);
    expect(bench.deviceListener.status().connections).toBe(0);
    expect(bench.deviceListener.pendingLinks()).toEqual([]);
    expect(bench.clock.timers).toBe(0);
    expect(bench.warnings).toEqual([expect.stringContaining('the clock is broken')]);
  });

  it('closes a link without a name whose silence could not be judged', () => {
    const bench = new ListenerBench();
    const link = bench.dialIn();
    const judging = vi.spyOn(PendingLink.prototype, 'handle').mockImplementationOnce(broken);
    bench.clock.advance(10_000);
    judging.mockRestore();
    expect(link.isOpen).toBe(false);
    expect(bench.deviceListener.pendingLinks()).toEqual([]);
    expect(bench.warnings).toEqual([expect.stringContaining('the clock is broken')]);
  });

  it('closes a link without a name, and lets go of it', () => {
    const bench = new ListenerBench();
    bench.localTime = broken;
    const link = bench.dialIn();
    link.data(DATETIME);
    expect(link.isOpen).toBe(false);
    expect(bench.deviceListener.pendingLinks()).toEqual([]);
    expect(bench.warnings).toEqual([expect.stringContaining('the clock is broken')]);
  });
});

describe('a defect in a replay', () => {
  it('ends it: a test must not go on as if nothing had been', () => {
    const { head, events } = traceFixture(
      new URL('../../fixtures/traces/client-normal.trace', import.meta.url),
    );
    let line = (): void => undefined;
    const store = new FeedStore({ epoch: 'replay' });
    const played = new Replay({ store, startMs: head.startMs, line: () => line() });
    const device = played.device(head, 'p1', 'p1.trace');
    line = broken;
    const [opened] = events;
    expect(() => opened && played.play(device, opened)).toThrow('the clock is broken');
  });
});
