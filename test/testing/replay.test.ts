import { describe, expect, it } from 'vitest';
import { replay, traceFixture, traceText } from '../../src/testing/index.ts';

const fixture = (name: string) =>
  traceFixture(new URL(`../../fixtures/traces/${name}.trace`, import.meta.url));

describe('a recorded device', () => {
  it('is online, stale and offline when it was', () => {
    const device = replay(fixture('silent-device'));
    expect(device.playTo(1).state).toMatchObject({ status: 'online', replay: true });
    expect(device.playTo(5).state).toMatchObject({ status: 'stale', reason: 'silent' });
    expect(device.playTo(11).state.link).toMatchObject({ status: 'backoff' });
    expect(device.playToEnd().state.status).toBe('online');
    expect(device.finish()).toEqual([]);
    expect(device.statuses).toEqual([
      'unknown',
      'registering',
      'online',
      'stale',
      'offline',
      'registering',
      'online',
    ]);
  });

  it('is noticed to be silent when a test silences it', () => {
    const device = replay(fixture('client-normal'));
    device.playTo(1).inject({ kind: 'silence', ms: 60_000 });
    expect(device.playTo(4.6).state.status).toBe('stale');
    expect(device.messages.map(({ message }) => message)).toEqual(['register', 'heartbeat', 'datetime']);
  });

  it('written into the test answers what it is asked', () => {
    const device = replay(
      traceText(`
        #meta device=tracker-9 transport=tcp role=server
        0 c1 = open 10.0.0.7:51234
        0.1 c1 < 00000034 00 "3f2504e0-4f89-41d3-9a0c-0305e82c3301" "490154203237518"
        0.1 c1 ? send 00000002 00 00
      `),
    );
    device.playToEnd().inject({ kind: 'bytes', bytes: '00000001 02' });
    expect(device.sent.at(-1)).toBe(`000000150200${Buffer.from('2026-01-01 00:00:00').toString('hex')}`);
    expect(device.finish()).toEqual([]);
  });
});

describe('a fault', () => {
  it('breaks the link, and the device is dialled again', () => {
    const device = replay(fixture('client-normal'));
    device.playTo(4).inject({ kind: 'break' });
    expect(device.state).toMatchObject({
      status: 'offline',
      reason: 'link_reset',
      link: { status: 'backoff' },
    });
    device.playTo(5.1);
    expect(device.state.link.status).toBe('connecting');
    // What the trace still holds of the broken connection is read by nobody.
    expect(device.playTo(7).lines.filter(({ unread }) => unread !== undefined)).toEqual([
      { t: 6.03, device: 'psu-1', unread: 6, connection: 'c1' },
    ]);
  });

  it.each(['lose', 'flip'] as const)('of one byte (%s) on a serial line costs one frame', (kind) => {
    const device = replay(fixture('serial-noise'));
    device.playTo(5).inject({ kind, at: 3 }).playTo(6.5);
    expect(device.discarded.at(-1)).toMatchObject({ reason: expect.stringMatching(/no_header|truncated/) });
    expect(device.messages.filter(({ message }) => message === 'heartbeat')).toHaveLength(1);
  });

  it('needs an open link for its bytes', () => {
    const device = replay(fixture('client-normal'));
    device.playToEnd();
    expect(() => device.inject({ kind: 'bytes', bytes: '00' })).toThrow(/no open link/);
    expect(() => device.inject({ kind: 'bytes', bytes: '0' })).toThrow(/one is missing/);
  });
});

it('other words of #meta than the trace has change how the device is judged', () => {
  const patient = replay(fixture('silent-device'), { meta: { interval: '60s' } });
  expect(patient.playTo(15).state.status).toBe('online');
});
