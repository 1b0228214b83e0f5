import { describe, expect, it } from 'vitest';
import { encodeFrame } from '../../src/protocol/codec.ts';
import {
  DATETIME,
  HEARTBEAT,
  HEARTBEAT_REPLY,
  hex,
  join,
  ListenerBench,
  matchedDevice,
  REFUSED,
  REGISTERED,
} from '../support/listener-bench.ts';
import { APPID, dialIn, IMEI, registerRequest } from '../support/session-bench.ts';

const OTHER_IMEI = '490154203237518';
const register = (imei = IMEI, appid = APPID) => encodeFrame(registerRequest({ appid, imei }));
const DATETIME_REPLY = Uint8Array.from([
  0,
  0,
  0,
  21,
  2,
  0,
  ...new TextEncoder().encode('2026-11-21 00:07:36'),
]);

describe('a link without a name', () => {
  it('is answered from the start, and named by its register, all in one segment', () => {
    const bench = new ListenerBench();
    const link = bench.dialIn();
    link.data(join(HEARTBEAT, DATETIME, register(), HEARTBEAT));
    expect(hex(link.takeSent())).toEqual(hex([HEARTBEAT_REPLY, DATETIME_REPLY, REGISTERED, HEARTBEAT_REPLY]));
    expect(bench.state(IMEI)).toMatchObject({ status: 'online', identity: { appid: APPID, imei: IMEI } });
    expect(bench.deviceListener.pendingLinks()).toEqual([]);
  });

  it('is closed after 10 s without a valid frame', () => {
    const bench = new ListenerBench();
    const link = bench.dialIn();
    bench.clock.advance(9_999);
    expect(link.calls).toEqual(['open']);
    bench.clock.advance(1);
    expect(link.calls).toEqual(['open', 'destroy']);
    expect(bench.deviceListener.pendingLinks()).toEqual([]);
    expect(bench.clock.timers).toBe(0);
  });

  it('stays as long as it exchanges valid frames', () => {
    const bench = new ListenerBench();
    const link = bench.dialIn();
    for (let i = 0; i < 20; i++) {
      bench.clock.advance(9_000);
      link.data(HEARTBEAT);
    }
    expect(link.calls).toEqual(['open']);
    expect(bench.deviceListener.pendingLinks().map(({ link: { frames } }) => frames)).toEqual([20]);
    expect(bench.devices).toEqual([]);
  });

  it.each([
    ['half a frame for ever', [0, 0, 0]],
    ['unknown ids', [0, 0, 0, 1, 0x55]],
    ['a register that is none', [...register('49015420323751X')]],
  ])('does not live on %s', (_what, bytes) => {
    const bench = new ListenerBench();
    const link = bench.dialIn();
    bench.clock.advance(5_000);
    link.data(Uint8Array.from(bytes));
    bench.clock.advance(5_000);
    expect(link.calls).toEqual(['open', 'destroy']);
  });

  it('gets -1 for a register that is none', () => {
    const bench = new ListenerBench();
    const link = bench.dialIn();
    link.data(register(IMEI, 'not-a-uuid-not-a-uuid-not-a-uuid-not'));
    expect(hex(link.takeSent())).toEqual(hex([REFUSED]));
    expect(bench.devices).toEqual([]);
  });

  it.each([
    ['length 0', [0, 0, 0, 0]],
    ['length 2^32-1', [255, 255, 255, 255]],
    ['an impossible length for its id', [0, 0, 0, 3, 1]],
    ['more than 256 bytes', [0, 0, 1, 1, 0x40]],
    ['HTTP', [...new TextEncoder().encode('GET / HTTP/1.1\r\n')]],
    ['TLS', [0x16, 0x03, 0x01, 0x02, 0x00, 0x01]],
    ['SSH', [...new TextEncoder().encode('SSH-2.0-OpenSSH_9.2\r\n')]],
    ['telnet', [0xff, 0xfd, 0x18, 0xff, 0xfd]],
  ])('is closed at once for %s', (_what, bytes) => {
    const bench = new ListenerBench();
    const other = bench.dialIn('10.0.0.2');
    const link = bench.dialIn();
    link.data(Uint8Array.from(bytes));
    expect(link.calls).toEqual(['open', 'destroy']);
    other.data(register());
    expect(bench.state(IMEI)?.status).toBe('online');
  });

  it('is the oldest to go when there are too many', () => {
    const bench = new ListenerBench({ maxNameless: 2 });
    const [first, second, third] = [bench.dialIn(), bench.dialIn(), bench.dialIn()];
    expect(first.calls).toEqual(['open', 'destroy']);
    expect(second.calls).toEqual(['open']);
    expect(third.calls).toEqual(['open']);
  });

  it('with a name may send larger frames', () => {
    const bench = new ListenerBench();
    const link = bench.dialIn();
    link.data(register());
    link.data(join(Uint8Array.from([0, 0, 1, 1, 0x40]), new Uint8Array(256), HEARTBEAT));
    expect(link.calls).toEqual(['open']);
    expect(hex(link.takeSent())).toEqual(hex([REGISTERED, HEARTBEAT_REPLY]));
  });
});

describe('whose link it is', () => {
  it('a configured device is found by all that its match says', () => {
    const bench = new ListenerBench({ unknown: 'refuse' }, [
      matchedDevice('far', { imei: IMEI, from: ['192.168.0.0/16'] }),
      matchedDevice('near', { imei: IMEI, from: ['10.0.0.0/24'] }),
      matchedDevice('app', { appid: '3F2504E0-4F89-41D3-9A0C-0305E82C3301' }),
    ]);
    bench.dialIn('10.0.0.9').data(register());
    expect(bench.state('near')?.status).toBe('online');
    bench.dialIn('172.16.0.1').data(register(OTHER_IMEI, '3f2504e0-4f89-41d3-9a0c-0305e82c3301'));
    expect(bench.state('app')?.status).toBe('online');
    const stranger = bench.dialIn('172.16.0.1');
    stranger.data(register());
    expect(hex(stranger.takeSent())).toEqual(hex([REFUSED]));
    expect(stranger.calls).toEqual(['open', 'end']);
    expect(bench.state('far')?.status).toBe('unknown');
  });

  it('a configured device that is known by its address needs no register', () => {
    const bench = new ListenerBench({ unknown: 'refuse' }, [matchedDevice('dumb', { from: ['10.0.0.7'] })]);
    const link = bench.dialIn('10.0.0.7');
    link.data(HEARTBEAT);
    expect(bench.state('dumb')?.status).toBe('online');
    expect(bench.state('dumb')?.identity).toBeUndefined();
    link.data(register());
    expect(bench.state('dumb')?.identity).toEqual({ appid: APPID, imei: IMEI });
  });

  it('a device that is known by its register comes before one that is known by its address', () => {
    const bench = new ListenerBench({ unknown: 'refuse' }, [
      matchedDevice('named', { imei: IMEI }),
      matchedDevice('dumb', { from: ['10.0.0.7'] }),
    ]);
    const link = bench.dialIn('10.0.0.7');
    link.data(HEARTBEAT);
    expect(bench.state('dumb')?.status).toBe('unknown');
    link.data(register());
    expect(bench.state('named')?.status).toBe('online');
    const silent = bench.dialIn('10.0.0.7');
    silent.data(HEARTBEAT);
    bench.clock.advance(9_999);
    silent.data(HEARTBEAT);
    expect(bench.state('dumb')?.status).toBe('unknown');
    bench.clock.advance(1);
    silent.data(HEARTBEAT);
    expect(bench.state('dumb')?.status).toBe('online');
  });

  it('an unknown one that never registers is named by its address where that is wanted', () => {
    const bench = new ListenerBench({ anonymous: 'by-address' });
    const link = bench.dialIn('fe80::1%eth0');
    link.data(HEARTBEAT);
    expect(bench.devices).toEqual([]);
    bench.clock.advance(9_000);
    link.data(HEARTBEAT);
    bench.clock.advance(1_000);
    link.data(HEARTBEAT);
    expect(bench.state('addr-fe80--1')?.status).toBe('online');
  });

  it('an IMEI that could be no name becomes hex', () => {
    const bench = new ListenerBench({ session: dialIn({ identity: 'any' }) });
    bench.dialIn().data(register('../../etc/passw'));
    expect(bench.devices).toEqual(['hex-2e2e2f2e2e2f6574632f7061737377']);
  });

  it('no more unknown devices than max_devices, and one that is long away is forgotten', () => {
    const bench = new ListenerBench({ maxDevices: 1, forgetMs: 3_600_000 });
    const link = bench.dialIn();
    link.data(register());
    const late = bench.dialIn();
    late.data(register(OTHER_IMEI));
    expect(hex(late.takeSent())).toEqual(hex([REFUSED]));
    link.close();
    expect(bench.state(IMEI)?.status).toBe('offline');
    bench.clock.advance(3_600_000 + 60_000);
    expect(bench.devices).toEqual([]);
    bench.dialIn().data(register(OTHER_IMEI));
    expect(bench.devices).toEqual([OTHER_IMEI]);
  });

  it('an unknown device does not become a configured one of the same id', () => {
    const bench = new ListenerBench({}, [matchedDevice(IMEI, { imei: OTHER_IMEI })]);
    const link = bench.dialIn();
    link.data(register());
    expect(hex(link.takeSent())).toEqual(hex([REFUSED]));
    expect(bench.state(IMEI)?.status).toBe('unknown');
  });
});

describe('takeover through the deviceListener', () => {
  it('the late close of a replaced link does not knock the new one offline', () => {
    const bench = new ListenerBench();
    const old = bench.dialIn();
    old.data(register());
    const next = bench.dialIn();
    next.data(register());
    expect(old.calls).toEqual(['open', 'destroy']);
    old.close();
    expect(bench.state(IMEI)).toMatchObject({ status: 'online', link: { address: next.address } });
  });

  it('a newcomer is answered while the incumbent is probed, and attached when that is silent', () => {
    const bench = new ListenerBench();
    const incumbent = bench.dialIn('10.0.0.1');
    incumbent.data(register());
    incumbent.takeSent();
    const newcomer = bench.dialIn('10.0.0.2');
    newcomer.data(join(register(), HEARTBEAT));
    expect(hex(newcomer.takeSent())).toEqual(hex([HEARTBEAT_REPLY]));
    expect(hex(incumbent.takeSent())).toEqual(hex([HEARTBEAT]));
    bench.clock.advance(3_000);
    expect(hex(newcomer.takeSent())).toEqual(hex([REGISTERED]));
    expect(bench.state(IMEI)).toMatchObject({ status: 'online', link: { address: newcomer.address } });
  });

  it('a newcomer that waits for its reply is not taken for silent, however long the probe is', () => {
    const heartbeat = { intervalMs: 60_000, missed: 3, from: 'client' } as const;
    const bench = new ListenerBench({ session: dialIn({ heartbeat }) });
    bench.dialIn('10.0.0.1').data(register());
    const newcomer = bench.dialIn('10.0.0.2');
    newcomer.data(register());
    bench.clock.advance(59_999);
    expect(newcomer.calls).toEqual(['open']);
    bench.clock.advance(1);
    expect(hex(newcomer.takeSent())).toEqual(hex([REGISTERED]));
    expect(bench.state(IMEI)).toMatchObject({ status: 'online', link: { address: newcomer.address } });
  });

  it('a newcomer is refused when the incumbent answers', () => {
    const bench = new ListenerBench();
    const incumbent = bench.dialIn('10.0.0.1');
    incumbent.data(register());
    const newcomer = bench.dialIn('10.0.0.2');
    newcomer.data(register());
    incumbent.data(HEARTBEAT_REPLY);
    expect(hex(newcomer.takeSent())).toEqual(hex([REFUSED]));
    expect(newcomer.calls).toEqual(['open', 'end']);
    expect(bench.state(IMEI)).toMatchObject({ status: 'online', link: { address: incumbent.address } });
  });
});

describe('connections', () => {
  it('are capped in all and per address, and counted down when they end', () => {
    const bench = new ListenerBench({ maxConnections: 3, maxConnectionsPerAddress: 2 });
    const [first] = [bench.dialIn('10.0.0.1'), bench.dialIn('10.0.0.1')];
    expect(bench.dialIn('10.0.0.1').calls).toEqual(['destroy']);
    bench.dialIn('10.0.0.2');
    expect(bench.dialIn('10.0.0.3').calls).toEqual(['destroy']);
    expect(bench.deviceListener.status()).toMatchObject({ connections: 3, refused_connections: 2 });
    first?.close();
    expect(bench.dialIn('10.0.0.1').calls).toEqual(['open']);
  });

  it('that could not be accepted are told', () => {
    const bench = new ListenerBench();
    bench.listeners[0]?.acceptFailed?.({ code: 'accept_failed', detail: 'no file descriptor is left' });
    expect(bench.deviceListener.status()).toMatchObject({ status: 'listening', refused_connections: 1 });
    expect(bench.warnings).toEqual(['no file descriptor is left']);
  });

  it('are listened for again, for ever, when the listener fails', () => {
    const bench = new ListenerBench();
    bench.listeners[0]?.closed({ code: 'listen_failed', detail: 'the network went away' });
    expect(bench.deviceListener.status()).toMatchObject({ status: 'backoff', reason: 'listen_failed' });
    bench.clock.advance(1_000);
    bench.listeners[1]?.closed({ code: 'listen_failed', detail: 'still away' });
    bench.clock.advance(2_000);
    bench.listeners[2]?.listening('127.0.0.1:9089');
    expect(bench.deviceListener.status()).toMatchObject({ status: 'listening' });
    bench.dialIn().data(register());
    expect(bench.state(IMEI)?.status).toBe('online');
  });
});
