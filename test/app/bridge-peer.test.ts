import { describe, expect, it } from 'vitest';
import { DeviceWatcher } from '../support/device-watcher.ts';
import { needs } from '../support/needs.ts';
import { PythonPeer } from '../support/python-peer.ts';
import { startBridge } from '../support/test-bridge.ts';

const FAST =
  'defaults: { heartbeat: { interval: 500ms, missed: 3 }, reconnect: { initial: 200ms, max: 500ms } }\n';
const LISTENING = `${FAST}
devices:
  - id: tracker-9
    match: { imei: "490154203237518" }
listeners:
  - { link: "tcp-listen:127.0.0.1:0", unknown: accept }
`;
const dialling = (...ports: number[]) => `${FAST}
devices:
  - id: rack-7
    link: [${ports.map((port) => `"tcp:127.0.0.1:${port}"`).join(', ')}]
    register: { appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade, imei: "869858030720693" }
    clock: { every: 1s }
`;
const ONLINE = 'online, link connected';
/** Who goes while a reply of ours lies unread resets the link; else it is closed. */
const GONE = /^offline \(link_(closed|reset)\), link listening \(link_(closed|reset)\)$/;

describe.runIf(needs('python3').run)('a peer that shares no code with us', () => {
  it('beats, then registers and asks the time at our listening side', async () => {
    await using bridge = await startBridge(LISTENING);
    await using watcher = await DeviceWatcher.connect(bridge.url);
    await watcher.sees('tracker-9', 'unknown, link listening');
    await using peer = PythonPeer.dial(bridge.devicePort);
    await watcher.sees('tracker-9', 'unknown, link listening', ONLINE);
    expect(watcher.document('devices/tracker-9/state')?.identity).toEqual({
      appid: '3f2504e0-4f89-41d3-9a0c-0305e82c3301',
      imei: '490154203237518',
    });
    const reply = await peer.waitFor(({ event, message }) => event === 'reply' && message === 'datetime');
    expect(reply.text).toMatch(/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/);
    const replies = peer.events
      .filter(({ event }) => event === 'reply')
      .map(({ message, error }) => [message, error]);
    expect(replies.slice(0, 3)).toEqual([
      ['heartbeat', 0],
      ['register', 0],
      ['datetime', 0],
    ]);
  });

  it('is stale and then offline while it is stopped, and back when it goes on', async () => {
    await using bridge = await startBridge(LISTENING);
    await using watcher = await DeviceWatcher.connect(bridge.url);
    await using peer = PythonPeer.dial(bridge.devicePort);
    await watcher.sees('tracker-9', ONLINE);
    peer.freeze();
    await watcher.sees(
      'tracker-9',
      ONLINE,
      'stale (silent), link connected',
      'offline (silent), link listening (silent)',
    );
    peer.thaw();
    await watcher.sees('tracker-9', 'offline (silent), link listening (silent)', ONLINE);
  });

  it('is offline with a reason at once when it is killed', async () => {
    await using bridge = await startBridge(LISTENING);
    await using watcher = await DeviceWatcher.connect(bridge.url);
    const peer = PythonPeer.dial(bridge.devicePort);
    await watcher.sees('tracker-9', ONLINE);
    await peer.kill();
    await expect.poll(() => watcher.steps('tracker-9').at(-1)).toMatch(GONE);
    await using again = PythonPeer.dial(bridge.devicePort);
    await again.waitFor(({ event }) => event === 'reply');
    await expect.poll(() => watcher.steps('tracker-9').at(-1)).toBe(ONLINE);
  });

  it('that does not register after a cut is answered, and listed as not registered', async () => {
    await using bridge = await startBridge(LISTENING);
    await using watcher = await DeviceWatcher.connect(bridge.url);
    await using peer = PythonPeer.dial(bridge.devicePort, '--no-register-after-cut');
    await watcher.sees('tracker-9', ONLINE);
    const before = peer.events.length;
    peer.command('cut');
    await expect.poll(() => watcher.steps('tracker-9').at(-1)).toMatch(GONE);
    await peer.waitFor(({ event, message }) => event === 'reply' && message === 'heartbeat', before + 1);
    await expect.poll(() => watcher.document('bridge/status')?.not_registered_count).toBe(1);
    expect(watcher.document('bridge/status')?.not_registered).toMatchObject([
      { address: expect.stringMatching(/^127\.0\.0\.1:\d+$/) },
    ]);
    expect(watcher.steps('tracker-9').at(-1)).toMatch(GONE);
  });

  it('serves our dialling side: registered, beaten, asked for its time', async () => {
    const { peer, port } = await PythonPeer.serve(0, '--clock-offset', '3600');
    await using _ = peer;
    await using bridge = await startBridge(dialling(port));
    await using watcher = await DeviceWatcher.connect(bridge.url);
    await watcher.sees('rack-7', ONLINE);
    await peer.waitFor(({ event, imei }) => event === 'request' && imei === '869858030720693');
    await peer.waitFor(({ event, message }) => event === 'request' && message === 'heartbeat');
    await expect.poll(() => watcher.document('devices/rack-7/state')?.clock).toBeDefined();
    const clock = watcher.document('devices/rack-7/state')?.clock as { offset_ms: number; bound_ms: number };
    expect(Math.abs(clock.offset_ms - 3_600_000)).toBeLessThanOrEqual(clock.bound_ms);
    expect(watcher.document('devices/rack-7/state')?.registered_as).toMatchObject({
      imei: '869858030720693',
    });
    let asked = 0;
    await expect
      .poll(async () => {
        const id = `c${++asked}`;
        // Refused as busy while a beat of the bridge is out.
        watcher.send({ type: 'command', id, device: 'rack-7', message: 'heartbeat' });
        return (await watcher.reply(id)).type;
      })
      .toBe('response');
  });

  it('that refuses our register is offline with the reason', async () => {
    const { peer, port } = await PythonPeer.serve(0, '--refuse');
    await using _ = peer;
    await using bridge = await startBridge(dialling(port));
    await using watcher = await DeviceWatcher.connect(bridge.url);
    await watcher.sees('rack-7', 'offline (register_refused), link backoff (register_refused)');
    expect(watcher.document('devices/rack-7/state')?.device).toBe('rack-7');
  });

  it('is found again under the same address after a restart, and at the second meanwhile', async () => {
    const first = await PythonPeer.serve();
    const second = await PythonPeer.serve();
    await using _ = second.peer;
    await using bridge = await startBridge(dialling(first.port, second.port));
    await using watcher = await DeviceWatcher.connect(bridge.url);
    const address = () =>
      (watcher.document('devices/rack-7/state')?.link as { address?: string } | undefined)?.address;
    await watcher.sees('rack-7', ONLINE);
    expect(address()).toBe(`127.0.0.1:${first.port}`);
    await first.peer.kill();
    await watcher.sees('rack-7', ONLINE, ONLINE);
    await expect.poll(address).toBe(`127.0.0.1:${second.port}`);
    const restarted = await PythonPeer.serve(first.port);
    await using __ = restarted.peer;
    second.peer.command('cut');
    await expect.poll(address).toBe(`127.0.0.1:${first.port}`);
  });
});
