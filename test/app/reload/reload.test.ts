import { describe, expect, it } from 'vitest';
import { DeviceWatcher } from '../../support/device-watcher.ts';
import { needs } from '../../support/needs.ts';
import { PythonPeer } from '../../support/python-peer.ts';
import { comings, inWords, reload } from '../../support/reload.ts';
import { startBridge } from '../../support/test-bridge.ts';

const FAST =
  'defaults: { heartbeat: { interval: 500ms, missed: 3 }, reconnect: { initial: 200ms, max: 500ms } }\n';
const device = (id: string, port: number, more = '') =>
  `  - { id: ${id}, link: "tcp:127.0.0.1:${port}", register: { appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade, imei: "869858030720693" }${more} }\n`;
const tracker = (id: string, imei = '490154203237518', more = '') =>
  `  - { id: ${id}, match: { imei: "${imei}" }${more} }\n`;
const yaml = (...devices: string[]) => `${FAST}devices:\n${devices.join('')}`;
const listening = (...devices: string[]) =>
  `${FAST}${devices.length === 0 ? '' : `devices:\n${devices.join('')}`}listeners: [{ link: "tcp-listen:127.0.0.1:0" }]\n`;
const SLOWER = ', heartbeat: { interval: 600ms }';
const ONLINE = 'online, link connected';

/** Peers that are dialled, one for each name. */
async function peers<N extends string>(...names: N[]) {
  const served = await Promise.all(names.map(async (name) => [name, await PythonPeer.serve()] as const));
  return {
    // Every name has been served just now.
    ...(Object.fromEntries(served) as Record<N, { peer: PythonPeer; port: number }>),
    async [Symbol.asyncDispose]() {
      await Promise.all(served.map(([, { peer }]) => peer.kill()));
    },
  };
}

describe.runIf(needs('python3').run)('a reload, with devices that share no code with us', () => {
  it('leaves the very same connection to a device that did not change, twenty times over', async () => {
    await using served = await peers('a', 'b');
    const { a, b } = served;
    const version = (turn: number) =>
      yaml(device('a', a.port), device('b', b.port, `, heartbeat: { interval: ${500 + turn}ms }`));
    await using bridge = await startBridge(version(0));
    await using watcher = await DeviceWatcher.connect(bridge.url);
    await watcher.sees('a', ONLINE);
    await watcher.sees('b', ONLINE);
    watcher.forget();
    for (let turn = 1; turn <= 20; turn++) {
      expect(inWords(await reload(bridge, version(turn)))).toBe('~b');
      await expect.poll(() => comings(b.peer).connected).toBe(turn + 1);
    }
    await expect.poll(() => watcher.steps('b').at(-1)).toBe(ONLINE);
    expect(comings(a.peer)).toEqual({ connected: 1, disconnected: 0 });
    expect(comings(b.peer)).toEqual({ connected: 21, disconnected: 20 });
    // It goes on beating on that connection, and was never shown as anything else.
    const beats = a.peer.events.length;
    await a.peer.waitFor(({ event, message }) => event === 'request' && message === 'heartbeat', beats);
    expect(watcher.steps('a').filter((step) => step !== ONLINE)).toEqual([]);
    expect(watcher.document('bridge/status')?.config).toMatchObject({ generation: 21 });
  });

  it('starts a device anew with its new settings, and says why', async () => {
    await using served = await peers('a');
    const { a } = served;
    await using bridge = await startBridge(yaml(device('a', a.port)));
    await using watcher = await DeviceWatcher.connect(bridge.url);
    await watcher.sees('a', ONLINE);
    expect(bridge.bridge.directory.get('a')?.settings.heartbeat.intervalMs).toBe(500);
    await reload(bridge, yaml(device('a', a.port, SLOWER)));
    await watcher.sees('a', ONLINE, 'offline (reconfigured), link disabled', ONLINE);
    expect(bridge.bridge.directory.get('a')?.settings.heartbeat.intervalMs).toBe(600);
    expect(watcher.document('bridge/status')?.config).toMatchObject({
      generation: 2,
      applied: { added: [], changed: ['a'], removed: [], needs_restart: [] },
    });
  });

  it('adds, removes and renames', async () => {
    await using served = await peers('a', 'b');
    const { a, b } = served;
    await using bridge = await startBridge(yaml(device('a', a.port)));
    await using watcher = await DeviceWatcher.connect(bridge.url);
    await watcher.sees('a', ONLINE);
    expect(inWords(await reload(bridge, yaml(device('a', a.port), device('b', b.port))))).toBe('+b');
    await watcher.sees('b', ONLINE);
    expect(comings(a.peer)).toEqual({ connected: 1, disconnected: 0 });

    expect(inWords(await reload(bridge, yaml(device('b', b.port))))).toBe('-a');
    await expect.poll(() => watcher.document('devices/a/state')).toBeUndefined();
    await expect.poll(() => comings(a.peer).disconnected).toBe(1);
    expect(bridge.bridge.store.documents('devices/a/#')).toEqual([]);

    expect(inWords(await reload(bridge, yaml(device('c', b.port))))).toBe('+c -b');
    await watcher.sees('c', ONLINE);
    expect(watcher.document('devices/b/state')).toBeUndefined();
    expect(comings(b.peer)).toEqual({ connected: 2, disconnected: 1 });
  });

  it('swaps the ports of two devices', async () => {
    await using served = await peers('a', 'b');
    const { a, b } = served;
    await using bridge = await startBridge(yaml(device('a', a.port), device('b', b.port)));
    await using watcher = await DeviceWatcher.connect(bridge.url);
    await watcher.sees('a', ONLINE);
    await watcher.sees('b', ONLINE);
    expect(inWords(await reload(bridge, yaml(device('a', b.port), device('b', a.port))))).toBe('~a ~b');
    await watcher.sees('a', ONLINE, ONLINE);
    await watcher.sees('b', ONLINE, ONLINE);
    const at = ({ port }: { port: number }) => ({ link: { address: `127.0.0.1:${port}` } });
    expect(watcher.document('devices/a/state')).toMatchObject(at(b));
    expect(watcher.document('devices/b/state')).toMatchObject(at(a));
    // Each had let go of its old port before the other one came to it.
    for (const { peer } of [a, b]) {
      const order = peer.events
        .map(({ event }) => event)
        .filter((event) => event === 'connected' || event === 'disconnected');
      expect(order).toEqual(['connected', 'disconnected', 'connected']);
    }
  });

  it('fails what was asked of a device that begins anew, and nothing else', async () => {
    await using served = await peers('a', 'b');
    const { a, b } = served;
    await using bridge = await startBridge(yaml(device('a', a.port), device('b', b.port)));
    await using watcher = await DeviceWatcher.connect(bridge.url);
    await watcher.sees('a', ONLINE);
    await watcher.sees('b', ONLINE);
    a.peer.freeze();
    b.peer.freeze();
    watcher.send({ type: 'command', id: 'a', device: 'a', message: 'datetime' });
    watcher.send({ type: 'command', id: 'b', device: 'b', message: 'datetime' });
    watcher.send({ type: 'ping', id: 'p' });
    await expect.poll(() => watcher.messages.some(({ type }) => type === 'pong')).toBe(true);
    await reload(bridge, yaml(device('a', a.port, SLOWER), device('b', b.port)));
    expect((await watcher.reply('a')).payload).toMatchObject({
      code: 'link_lost',
      message: 'the configuration of this device changed',
      retry: true,
    });
    b.peer.thaw();
    a.peer.thaw();
    expect((await watcher.reply('b')).type).toBe('response');
  });

  it('closes the link of a changed device that dials in; it comes back by itself', async () => {
    await using bridge = await startBridge(listening(tracker('tracker-9')));
    await using watcher = await DeviceWatcher.connect(bridge.url);
    await using peer = PythonPeer.dial(bridge.devicePort);
    await watcher.sees('tracker-9', ONLINE);
    expect(inWords(await reload(bridge, listening(tracker('tracker-9', undefined, SLOWER))))).toBe(
      '~tracker-9',
    );
    await watcher.sees('tracker-9', 'offline (reconfigured), link disabled', ONLINE);
    expect(comings(peer)).toEqual({ connected: 2, disconnected: 1 });
    expect(bridge.bridge.directory.get('tracker-9')?.settings.heartbeat.intervalMs).toBe(600);
  });

  it('gives an unannounced device the name that it has now, and takes it away again', async () => {
    await using bridge = await startBridge(listening());
    await using watcher = await DeviceWatcher.connect(bridge.url);
    await using _peer = PythonPeer.dial(bridge.devicePort);
    await watcher.sees('490154203237518', ONLINE);
    expect(inWords(await reload(bridge, listening(tracker('tracker-9'))))).toBe('+tracker-9');
    await watcher.sees('tracker-9', ONLINE);
    expect(watcher.document('devices/490154203237518/state')).toBeUndefined();
    expect(inWords(await reload(bridge, listening()))).toBe('-tracker-9');
    await watcher.sees('490154203237518', ONLINE, ONLINE);
    expect(watcher.document('devices/tracker-9/state')).toBeUndefined();
  });
});
