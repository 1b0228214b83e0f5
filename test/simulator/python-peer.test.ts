import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../src/simulator/random.ts';
import type { DeviceBehaviour, SimulatorEvent } from '../../src/simulator/settings.ts';
import { SimulatedDevice } from '../../src/simulator/simulated-device.ts';
import { systemClock } from '../../src/system/clock.ts';
import { needs } from '../support/needs.ts';
import { type PeerEvent, PythonPeer } from '../support/python-peer.ts';
import { IDENTITY } from './device-rig.ts';

const events: SimulatorEvent[] = [];

function simulate(
  scheme: 'tcp' | 'tcp-listen',
  port: number,
  behaviour: DeviceBehaviour = {},
): SimulatedDevice {
  events.length = 0;
  return new SimulatedDevice(
    {
      heartbeatEveryMs: 50,
      reconnect: { initialMs: 20, maxMs: 50 },
      ...behaviour,
      name: 'sim-1',
      address: { scheme, host: '127.0.0.1', port },
      identity: IDENTITY,
    },
    { clock: systemClock, random: seededRandom(1), report: (event) => void events.push(event) },
  );
}

const portOf = (device: SimulatedDevice): number => Number(device.listeningAt?.split(':').at(-1));
const said = (event: PeerEvent['event'], message?: PeerEvent['message']) => (each: PeerEvent) =>
  each.event === event && (message === undefined || each.message === message);

describe.runIf(needs('python3').run)('a peer in Python', () => {
  test('serves a device that dials: early requests, register, heartbeats, the time; kill and restart', async () => {
    const { peer, port } = await PythonPeer.serve();
    await using first = peer;
    await using device = simulate('tcp', port, { early: ['heartbeat'], datetimeEveryMs: 50 });
    await device.start();
    expect(await first.waitFor(said('request'))).toMatchObject({ message: 'heartbeat' });
    expect(await first.waitFor(said('request', 'register'))).toMatchObject(IDENTITY);
    await first.waitFor(said('request', 'datetime'));
    await expect.poll(() => events.map(({ kind }) => kind)).toContain('registered');
    await first.kill();
    await expect.poll(() => events.at(-1)).toMatchObject({ kind: 'disconnected', code: 'connect_refused' });
    const { peer: second } = await PythonPeer.serve(port);
    await using _ = second;
    expect(await second.waitFor(said('request', 'register'))).toMatchObject(IDENTITY);
  });

  test('refuses a device, which says so', async () => {
    const { peer, port } = await PythonPeer.serve(0, '--refuse');
    await using _ = peer;
    await using device = simulate('tcp', port);
    await device.start();
    await expect.poll(() => events).toContainEqual({ kind: 'refused', error: -1, device: 'sim-1' });
  });

  test('freezes: a device that dials hangs up after its limit of silence, and beats again when it is thawed', async () => {
    const { peer, port } = await PythonPeer.serve();
    await using _ = peer;
    await using device = simulate('tcp', port, { silenceLimitMs: 200 });
    await device.start();
    await peer.waitFor(said('request', 'heartbeat'));
    peer.freeze();
    await expect.poll(() => events.map(({ kind }) => kind)).toContain('disconnected');
    const seen = peer.events.length;
    peer.thaw();
    await peer.waitFor(said('request', 'heartbeat'), seen);
  });

  test('dials a device that listens: heartbeat, then register, then the time; returns after a cut unregistered', async () => {
    await using device = simulate('tcp-listen', 0, { clockOffsetMs: 86_400_000, timeZone: 'UTC' });
    await device.start();
    await using peer = PythonPeer.dial(portOf(device), '--no-register-after-cut', '--every', '0.05');
    const reply = await peer.waitFor(said('reply', 'datetime'));
    const replies = peer.events.filter(said('reply'));
    // It goes on beating meanwhile: of each kind the first one tells the order.
    expect([...new Set(replies.map(({ message }) => message))]).toEqual([
      'heartbeat',
      'register',
      'datetime',
    ]);
    expect(replies.every(({ error }) => error === 0)).toBe(true);
    const tomorrow = Date.parse(`${reply.text?.replace(' ', 'T')}Z`) - Date.now();
    expect(Math.abs(tomorrow - 86_400_000)).toBeLessThan(30_000);
    expect(events).toContainEqual(expect.objectContaining({ kind: 'peer_registered', imei: IDENTITY.imei }));
    const seen = peer.events.length;
    device.cut();
    await peer.waitFor(said('reply', 'heartbeat'), seen);
    peer.command('cut');
    await peer.waitFor(said('disconnected'), seen + 1);
    await expect.poll(() => peer.events.slice(seen).filter(said('connected'))).toHaveLength(2);
    expect(peer.events.slice(seen).some(said('sent', 'register'))).toBe(false);
  });

  test('beaten by a device that listens, and frozen out by it', async () => {
    await using device = simulate('tcp-listen', 0);
    await device.start();
    await using peer = PythonPeer.dial(portOf(device), '--every', '0.05');
    await peer.waitFor(said('request', 'heartbeat'));
    device.freeze();
    const replies = (): number => peer.events.filter(said('reply')).length;
    const requests = (): number => peer.events.filter(said('sent', 'heartbeat')).length;
    const [repliesAtFreeze, requestsAtFreeze] = [replies(), requests()];
    await expect.poll(requests).toBeGreaterThan(requestsAtFreeze + 5);
    // What had left the device before it froze may still have been on its way.
    expect(replies() - repliesAtFreeze).toBeLessThanOrEqual(2);
    device.thaw();
    await expect.poll(replies).toBeGreaterThan(repliesAtFreeze + 5);
  });

  test.each(['garbage=1', 'drop=0.3'])(
    '%s: the peer sees the stream break, and the device comes back',
    async (text) => {
      const { peer, port } = await PythonPeer.serve();
      await using _ = peer;
      const faults = text.startsWith('drop') ? { drop: 0.3 } : { garbage: 1 };
      await using device = simulate('tcp', port, { faults, silenceLimitMs: 300 });
      await device.start();
      await peer.waitFor(
        (each) => each.event === 'disconnected' && /impossible|reset|end of/.test(each.reason ?? ''),
      );
      await expect.poll(() => peer.events.filter(said('connected')).length).toBeGreaterThan(1);
    },
  );
});
