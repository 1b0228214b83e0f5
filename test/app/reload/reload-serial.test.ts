import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DeviceWatcher } from '../../support/device-watcher.ts';
import { hasPtys } from '../../support/pty.ts';
import { PtyDevice } from '../../support/pty-device.ts';
import { inWords, reload } from '../../support/reload.ts';
import { startBridge } from '../../support/test-bridge.ts';

const ONLINE = 'online, link connected';

describe.runIf(hasPtys())('a reload of devices on serial lines', () => {
  let folder = '';
  const devices: PtyDevice[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'heartwire-serial-'));
    for (const name of ['one', 'two']) {
      const device = new PtyDevice();
      devices.push(device);
      symlinkSync(device.pty.path, join(folder, name));
    }
  });
  afterEach(async () => {
    for (const each of devices.splice(0)) await each.pty.dispose();
    rmSync(folder, { recursive: true });
  });

  // Pauses so long that a port which is still held would be seen, and would not be tried again within this test.
  const yaml = (a: string, b: string, interval = '500ms') =>
    `defaults: { heartbeat: { interval: ${interval} }, reconnect: { initial: 60s, max: 60s, jitter: none } }
devices:
  - { id: a, link: "${join(folder, a)}", register: { appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade, imei: "869858030720693" } }
  - { id: b, link: "${join(folder, b)}", register: { appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade, imei: "490154203237518" } }
`;

  it('opens a port again only once it was let go of, be it by the device itself or by another', async () => {
    await using bridge = await startBridge(yaml('one', 'two'));
    await using watcher = await DeviceWatcher.connect(bridge.url);
    await watcher.sees('a', ONLINE);
    await watcher.sees('b', ONLINE);
    for (const next of [yaml('one', 'two', '600ms'), yaml('two', 'one', '600ms'), yaml('one', 'two')]) {
      watcher.forget();
      expect(inWords(await reload(bridge, next))).toBe('~a ~b');
      await watcher.sees('a', 'offline (reconfigured), link disabled', ONLINE);
      await watcher.sees('b', 'offline (reconfigured), link disabled', ONLINE);
      for (const id of ['a', 'b']) {
        expect(watcher.steps(id).filter((step) => step.includes('busy') || step.includes('backoff'))).toEqual(
          [],
        );
      }
    }
  });
});
