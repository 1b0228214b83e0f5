import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DeviceWatcher } from '../support/device-watcher.ts';
import { needs } from '../support/needs.ts';
import { hasPtys } from '../support/pty.ts';
import { PtyDevice } from '../support/pty-device.ts';
import { startBridge } from '../support/test-bridge.ts';

const python = needs('python3');
const ONLINE = 'online, link connected';

describe.runIf(hasPtys())('a device on a serial line, as a subscriber sees it', () => {
  let folder = '';
  let port = '';
  const devices: PtyDevice[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'heartwire-serial-'));
    port = join(folder, 'psu');
  });
  afterEach(async () => {
    for (const each of devices.splice(0)) await each.pty.dispose();
    rmSync(folder, { recursive: true });
  });

  /** A device appears under the name that the bridge looks for. */
  const plugIn = (): PtyDevice => {
    const device = new PtyDevice();
    devices.push(device);
    rmSync(port, { force: true });
    symlinkSync(device.pty.path, port);
    return device;
  };
  const start = () =>
    startBridge(`defaults: { heartbeat: { interval: 500ms, missed: 3 }, reconnect: { initial: 200ms, max: 500ms } }
devices:
  - id: psu
    link: ${port}
    register: { appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade, imei: "869858030720693" }
`);

  test('comes later, is unplugged, and comes back as another port', async () => {
    await using bridge = await start();
    await using watcher = await DeviceWatcher.connect(bridge.url);
    await watcher.sees('psu', 'unknown, link backoff (port_missing)');
    const first = plugIn();
    await watcher.sees('psu', 'unknown, link backoff (port_missing)', 'registering, link connected', ONLINE);
    first.pty.hangUp();
    await watcher.sees('psu', ONLINE, 'offline (port_unplugged), link backoff (port_unplugged)');
    watcher.forget();
    plugIn();
    await watcher.sees('psu', ONLINE);
  });

  test('falls silent on a port that stays: the heartbeat finds it, and the port is opened anew', async () => {
    const device = plugIn();
    await using bridge = await start();
    await using watcher = await DeviceWatcher.connect(bridge.url);
    await watcher.sees('psu', ONLINE);
    device.silent = true;
    await watcher.sees(
      'psu',
      ONLINE,
      'stale (silent), link connected',
      'offline (silent), link backoff (silent)',
    );
    device.silent = false;
    watcher.forget();
    await watcher.sees('psu', ONLINE);
  });

  test('takes no bytes any more: a stuck write ends like silence, and harms nothing', async () => {
    const device = plugIn();
    await using bridge = await start();
    await using watcher = await DeviceWatcher.connect(bridge.url);
    await watcher.sees('psu', ONLINE);
    device.pty.stall();
    await watcher.sees('psu', ONLINE, 'offline (silent), link backoff (silent)');
    watcher.forget();
    device.pty.resume();
    await watcher.sees('psu', ONLINE);
  });

  test('echoes what it hears: failed, and never online', async () => {
    const device = plugIn();
    device.silent = true;
    device.pty.onData((chunk) => device.pty.write(chunk));
    await using bridge = await start();
    await using watcher = await DeviceWatcher.connect(bridge.url);
    await expect.poll(() => watcher.steps('psu').at(-1)).toMatch(/link failed \(echo\)$/);
    expect(watcher.steps('psu').filter((step) => step.startsWith('online'))).toEqual([]);
  });

  test('stays online through garbage between its frames and bytes that are lost', async () => {
    const device = plugIn();
    let count = 0;
    device.spoil = (answer) => {
      count += 1;
      if (count % 4 === 0) return answer.subarray(1);
      return count % 2 === 0 ? Buffer.concat([Buffer.from('ffff00000077', 'hex'), answer]) : answer;
    };
    await using bridge = await start();
    await using watcher = await DeviceWatcher.connect(bridge.url, ['devices/+/state', 'devices/+/stats']);
    await watcher.sees('psu', ONLINE);
    await expect.poll(() => count).toBeGreaterThan(8);
    expect(watcher.steps('psu').filter((step) => step.startsWith('offline'))).toEqual([]);
    await expect
      .poll(() => Number(watcher.document('devices/psu/stats')?.discarded_bytes ?? 0))
      .toBeGreaterThan(5);
  });

  test.runIf(python.run)('is held by another program: says so, and is taken once it is free', async () => {
    const device = plugIn();
    const script =
      'import fcntl, os, sys; fd = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY); fcntl.flock(fd, fcntl.LOCK_EX); print(1, flush=True); sys.stdin.read()';
    const holder = spawn(python.path, ['-c', script, device.pty.path], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(holder.stdout, 'data');
    await using bridge = await start();
    await using watcher = await DeviceWatcher.connect(bridge.url);
    await watcher.sees('psu', 'unknown, link backoff (port_busy)');
    holder.stdin.end();
    await once(holder, 'exit');
    await watcher.sees('psu', 'unknown, link backoff (port_busy)', ONLINE);
  });
});
