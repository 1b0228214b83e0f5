import { describe, expect, it } from 'vitest';
import { type ReplayedTrace, replay, traceFixture, traceText } from '../../../src/testing/index.ts';

const fixture = (name: string) =>
  traceFixture(new URL(`../../../fixtures/traces/${name}.trace`, import.meta.url));

const US = 'appid=996da38d-a7be-4947-aa4c-f8208b5f4ade imei=869858030720693';
const REGISTER = '00000034 00 "3f2504e0-4f89-41d3-9a0c-0305e82c3301" "490154203237518"';
const BEAT = '00000001 01';
const BEAT_REPLY = '00000002 01 00';
const ASK_TIME = '0000000102';

/** A device that we dial, over TCP. */
const dialled = (lines: string, meta = '') =>
  replay(traceText(`#meta device=p1 transport=tcp role=client ${US} ${meta}\n${lines}`));
/** A device that dials in. */
const dialsIn = (lines: string, meta = '') =>
  replay(traceText(`#meta device=p1 transport=tcp role=server ${meta}\n${lines}`));

/** Status and link, each with its reason. */
function axes({ state }: ReplayedTrace): string {
  const why = (reason?: string) => (reason === undefined ? '' : ` (${reason})`);
  return `${state.status}${why(state.reason)}, link ${state.link.status}${why(state.link.reason)}`;
}

describe('a device that we dial', () => {
  it('lives: registers, beats, is asked for its time, and is dialled again when it hangs up', () => {
    const device = replay(fixture('client-normal'));
    expect(axes(device.playTo(0.01))).toBe('registering, link connected');
    expect(axes(device.playTo(0.03))).toBe('online, link connected');
    expect(axes(device.playTo(9.6))).toBe('offline (link_closed), link backoff (link_closed)');
    expect(axes(device.playTo(11))).toBe('offline (link_closed), link connecting (link_closed)');
    expect(axes(device.playTo(12))).toBe('offline (link_closed), link backoff (connect_refused)');
    expect(device.finish()).toEqual([]);
  });

  it('falls silent, and every frame while it is stale brings it back', () => {
    const device = dialled(`
      0    c1 = open 10.0.0.7:9089
      0.02 c1 < 00000002 00 00
      5    c1 < 00000001 02
      9    c1 < 00000003 55 0102
    `);
    expect(axes(device.playTo(4.52))).toBe('online, link connected');
    expect(axes(device.playTo(4.522))).toBe('stale (silent), link connected');
    expect(axes(device.playTo(5))).toBe('online, link connected');
    expect(device.sent.at(-1)).toMatch(/^000000150200/);
    expect(device.playTo(9.4).state.status).toBe('online');
    expect(axes(device.playTo(13.6))).toBe('stale (silent), link connected');
    expect(axes(device.playTo(19.01))).toBe('offline (silent), link backoff (silent)');
    expect(device.statuses.slice(2)).toEqual(['online', 'stale', 'online', 'stale', 'offline']);
  });

  it('half a frame is no sign of life', () => {
    const device = dialled(`
      0    c1 = open 10.0.0.7:9089
      0.02 c1 < 00000002 00 00
      4    c1 < 00000002 01
      5    c1 < 00
    `);
    expect(axes(device.playTo(4.6))).toBe('stale (silent), link connected');
    expect(axes(device.playTo(5))).toBe('online, link connected');
  });

  it.each([
    ['register-refused', 1, 'offline (register_refused), link backoff (register_refused)'],
    ['register-timeout', 5.5, 'unknown (register_timeout), link backoff (register_timeout)'],
    ['serial-echo', 0.1, 'unknown (echo), link failed (echo)'],
    ['frame-stalled', 31.5, 'offline (frame_stalled), link backoff (frame_stalled)'],
    ['garbled-stream', 0.1, 'unknown (bad_frame), link backoff (bad_frame)'],
  ])('%s: after %d s it is %s', (name, seconds, expected) => {
    expect(axes(replay(fixture(name)).playTo(seconds))).toBe(expected);
  });

  it('pauses twice as long after every failure, and as at first after a success', () => {
    const device = dialled('0 c1 = error connect_refused', 'reconnect_jitter=none reconnect_max=4s');
    const dials: number[] = [];
    for (let tenths = 1; tenths <= 200; tenths++) {
      device.playTo(tenths / 10);
      if (device.state.link.status !== 'connecting') continue;
      dials.push(tenths / 10);
      device.inject({ kind: 'break', code: 'connect_refused' });
    }
    expect(dials).toEqual([1, 3, 7, 11, 15, 19]);
    const again = dialled(
      `
      0    c1 = error connect_refused
      1.5  c2 = error connect_refused
      5    c3 = open 10.0.0.7:9089
      5.01 c3 < 00000002 00 00
      6    c3 = close
    `,
      'reconnect_jitter=none',
    );
    expect(axes(again.playTo(6.9))).toBe('offline (link_closed), link backoff (link_closed)');
    expect(axes(again.playTo(7.1))).toBe('offline (link_closed), link connecting (link_closed)');
  });

  it('goes on with its second address, and comes back to the first', () => {
    const device = replay(fixture('connect-timeout'));
    expect(device.playTo(3.9).state.link.address).toBe('10.0.0.7:9089');
    expect(device.playTo(4.1).state.link.address).toBe('10.0.0.8:9089');
    expect(axes(device.playTo(4.6))).toBe('online, link connected');
    expect(device.playTo(6.5).state.link.address).toBe('10.0.0.7:9089');
  });

  it.each([
    ['link_reset', 'offline (link_reset), link backoff (link_reset)'],
    ['port_unplugged', 'offline (port_unplugged), link backoff (port_unplugged)'],
  ] as const)('whose link breaks with %s is %s, whenever that is', (code, expected) => {
    for (const at of [0.04, 1, 3, 4.4, 9.02]) {
      const device = replay(fixture('client-normal'));
      device.playTo(at).inject({ kind: 'break', code });
      expect(axes(device)).toBe(expected);
    }
  });
});

describe('replies', () => {
  const CLOCK = 'clock_every=60s clock_zone=UTC request_timeout=2s';
  const TIME = '00000015 02 00 "2026-01-01 00:00:00"';

  it('that come too late are marked, used for nothing, and free the slot', () => {
    const device = replay(fixture('late-reply'));
    device.playTo(3);
    expect(device.messages.at(-1)).toMatchObject({ message: 'datetime', late: true });
    expect(device.state.clock).toBeUndefined();
  });

  it('in time make an estimate of the clock', () => {
    const device = dialled(
      `0 c1 = open x\n0.02 c1 < 00000002 00 00\n0.03 c1 < ${BEAT_REPLY} ${TIME}\n`,
      CLOCK,
    );
    expect(device.playTo(1).state.clock).toMatchObject({ samples: 1 });
    expect(device.sent.filter((frame) => frame === ASK_TIME)).toHaveLength(1);
  });

  it('that nobody asked for are told apart, and change nothing', () => {
    const device = replay(fixture('odd-messages'));
    device.playTo(2);
    const marked = device.messages.filter(({ unsolicited }) => unsolicited === true);
    expect(marked.map(({ message }) => message)).toEqual(['heartbeat', 'datetime', 'register']);
    expect(axes(device)).toBe('online, link connected');
    expect(device.state.clock).toBeUndefined();
  });
});

describe('a device that dials in', () => {
  it('is answered before it has a name, and online with its register', () => {
    const device = replay(fixture('server-normal'));
    expect(axes(device.playTo(0.5))).toBe('unknown, link listening');
    expect(device.sent).toHaveLength(2);
    expect(axes(device.playTo(1))).toBe('online, link connected');
    expect(axes(device.playTo(9))).toBe('offline (link_closed), link listening (link_closed)');
    expect(device.finish()).toEqual([]);
  });

  it('that reports now and then is away, overdue, and back', () => {
    const device = replay(fixture('presence-overdue'));
    expect(axes(device.playTo(1))).toBe('away (link_closed), link listening (link_closed)');
    expect(axes(device.playTo(24.4))).toBe('away (link_closed), link listening (link_closed)');
    expect(axes(device.playTo(24.6))).toBe('offline (overdue), link listening (link_closed)');
    expect(axes(device.playTo(40.1))).toBe('online, link connected');
  });

  it('becomes nobody else on its link', () => {
    const device = replay(fixture('identity-changed'));
    expect(device.playTo(1.5).state).toMatchObject({ status: 'online', warnings: ['imei_checksum'] });
    expect(axes(device.playTo(2))).toBe('offline (identity_changed), link listening (identity_changed)');
  });
});

describe('takeover', () => {
  const first = `0 c1 = open 10.0.0.7:1\n0.01 c1 < ${REGISTER}\n`;

  it('by the same address is at once', () => {
    const device = dialsIn(`${first}1 c2 = open 10.0.0.7:2\n1.01 c2 < ${REGISTER}\n`);
    expect(device.playTo(1.1).state.link.address).toBe('10.0.0.7:2');
  });

  it('by another address waits for the probe, which the present link answers', () => {
    const device = dialsIn(`${first}1 c2 = open 10.0.0.8:1\n1.01 c2 < ${REGISTER}\n1.5 c1 < ${BEAT_REPLY}\n`);
    expect(device.playTo(1.2).sent.at(-1)).toBe('0000000101');
    expect(device.playTo(2).state.link.address).toBe('10.0.0.7:1');
    expect(device.sent.at(-1)).toBe('0000000200ff');
  });

  it('by another address succeeds where the probe is not answered', () => {
    const device = dialsIn(`${first}1 c2 = open 10.0.0.8:1\n1.01 c2 < ${REGISTER}\n`);
    expect(device.playTo(4).state.link.address).toBe('10.0.0.7:1');
    expect(device.playTo(4.02).state.link.address).toBe('10.0.0.8:1');
  });

  it('to and fro is ended: the present one is held for a minute', () => {
    const device = replay(fixture('duplicate-identity'));
    expect(axes(device.playTo(12.1))).toBe('online (duplicate_identity), link connected');
    expect(device.playTo(16.1).state.link.address).toBe('10.0.0.8:40002');
    expect(axes(device.playTo(81))).toBe('online, link connected');
    expect(device.state.link.address).toBe('10.0.0.7:51237');
  });

  it('a late word of the replaced link is nobody’s', () => {
    const device = dialsIn(
      `${first}1 c2 = open 10.0.0.7:2\n1.01 c2 < ${REGISTER}\n1.5 c1 < ${BEAT}\n1.6 c1 = close\n`,
    );
    device.playTo(2);
    expect(axes(device)).toBe('online, link connected');
    expect(device.messages.filter(({ message }) => message === 'heartbeat')).toEqual([]);
  });
});

describe('a serial line', () => {
  it.each(['lose', 'flip'] as const)('where one byte is damaged (%s) costs one exchange', (kind) => {
    for (let at = 0; at < 6; at++) {
      const [device, whole] = [replay(fixture('recorded-noise')), replay(fixture('recorded-noise'))];
      device.playTo(0.6).inject({ kind, at });
      const beats = (of: ReplayedTrace) =>
        of.playTo(6).messages.filter(({ message }) => message === 'heartbeat').length;
      // The last byte is the error code: with another one it is another reply, and counts.
      expect(beats(whole) - beats(device)).toBe(kind === 'flip' && at === 5 ? 0 : 1);
      expect(axes(device)).toBe('online, link connected');
    }
  });

  it('is online with a register reply and a heartbeat reply behind all kinds of noise', () => {
    const device = replay(fixture('serial-hunting'));
    expect(axes(device.playTo(0.11))).toBe('registering, link connected');
    expect(axes(device.playTo(0.13))).toBe('online, link connected');
    expect(device.discarded).toEqual([expect.objectContaining({ reason: 'bad_content', count: 75 })]);
  });
});
