import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type KnownDevice, KnownDevices, readKnown, writeKnown } from '../../src/devices/known-devices.ts';
import { FakeClock } from '../support/fake-clock.ts';

const DEVICE: KnownDevice = {
  id: '869858030720693',
  listener: '127.0.0.1:9089',
  byAddress: false,
  settled: true,
  host: '10.0.0.1',
  identity: { appid: 'a', imei: '869858030720693' },
  away: { since: 1_700_000_000_000, reason: 'silent', detail: 'no valid frame for 10 s', byItself: false },
};

let folder = '';
let path = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'known-'));
  path = join(folder, 'devices.known');
});
afterEach(async () => {
  await chmod(folder, 0o700);
  await rm(folder, { recursive: true });
});

/** A keeper of the file, with what it logged and what it is to write. */
function keeper(devices: readonly KnownDevice[] = [], file = path) {
  const clock = new FakeClock();
  const errors: string[] = [];
  const log = {
    info: () => undefined,
    warn: () => undefined,
    error: (fields: { readonly code?: unknown }) => void errors.push(String(fields.code)),
  };
  let written = 0;
  const known = new KnownDevices({
    file,
    clock,
    log,
    devices: () => {
      written += 1;
      return devices;
    },
  });
  return { known, clock, errors, written: () => written };
}

describe('the file', () => {
  it('holds what was written, in order, and is for its owner alone', async () => {
    const devices = Array.from({ length: 1_200 }, (_, index) => ({ ...DEVICE, id: `d-${index}` }));
    await writeKnown(path, devices);
    expect(await readKnown(path)).toEqual({ devices, broken: 0 });
    expect(await readdir(folder)).toEqual(['devices.known']);
  });

  it('may be missing', async () => {
    expect(await readKnown(path)).toBeUndefined();
  });

  it('that is cut anywhere gives what is whole of it, and says that it is broken', async () => {
    await writeKnown(path, [DEVICE, { ...DEVICE, id: 'other', away: undefined }]);
    const whole = await readFile(path);
    for (let length = 0; length < whole.length - 1; length++) {
      await writeFile(path, whole.subarray(0, length));
      const read = await readKnown(path);
      const cutAtLine = whole[length - 1] === 0x0a || whole[length] === 0x0a;
      expect(read?.devices.every(({ id }) => ['other', DEVICE.id].includes(id))).toBe(true);
      expect([length, (read?.broken ?? 0) > 0]).toEqual([length, !cutAtLine || length === 0]);
    }
  });

  it.each([
    ['another id', { id: '../etc' }],
    ['no listener', { listener: 7 }],
    ['no instant', { away: { since: 'now', byItself: false } }],
    ['another identity', { identity: { appid: 1, imei: 2 } }],
  ])('with %s in a line leaves that line out', async (_, change) => {
    const lines = [{ heartwire: 'known-devices', version: 1 }, { ...DEVICE, ...change }, DEVICE];
    await writeFile(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    expect(await readKnown(path)).toEqual({ devices: [DEVICE], broken: 1 });
  });
});

describe('what is known', () => {
  it('is written when it changed, once for many changes, and at the end', async () => {
    const { known, clock, written } = keeper([DEVICE]);
    expect(await known.load()).toEqual([]);
    for (let change = 0; change < 50; change++) known.changed();
    expect(written()).toBe(0);
    clock.advance(2_000);
    await expect.poll(() => readKnown(path)).toEqual({ devices: [DEVICE], broken: 0 });
    expect(written()).toBe(1);
    known.changed();
    await known.close();
    known.changed();
    await known.close();
    expect(written()).toBe(2);
    expect(clock.timers).toBe(0);
  });

  it('is not written where nothing changed', async () => {
    const { known } = keeper([DEVICE]);
    await known.load();
    await known.close();
    expect(await readdir(folder)).toEqual([]);
  });

  it('goes on from a broken file, which is set aside', async () => {
    await writeFile(path, 'what is this\n');
    const { known, errors } = keeper([DEVICE]);
    expect(await known.load()).toEqual([]);
    expect(errors).toEqual(['known_devices_unreadable']);
    known.changed();
    await known.close();
    expect((await readKnown(path))?.devices).toEqual([DEVICE]);
    expect(await readFile(`${path}.broken`, 'utf8')).toBe('what is this\n');
  });

  it('goes on where the path is no file, and leaves that alone', async () => {
    await mkdir(path);
    const { known, errors } = keeper([DEVICE]);
    expect(await known.load()).toEqual([]);
    known.changed();
    await known.close();
    expect(errors).toEqual(['known_devices_unreadable']);
    expect(await readdir(folder)).toEqual(['devices.known']);
  });

  it('goes on where nothing can be written, says so once, and tries again', async () => {
    const missing = join(folder, 'later', 'devices.known');
    const { known, clock, errors, written } = keeper([DEVICE], missing);
    await known.load();
    known.changed();
    clock.advance(2_000);
    await expect.poll(() => errors).toEqual(['known_devices_unwritable']);
    await expect.poll(() => clock.timers).toBe(1);
    clock.advance(60_000);
    await expect.poll(() => written()).toBe(2);
    await expect.poll(() => clock.timers).toBe(1);
    expect(errors).toEqual(['known_devices_unwritable']);
    await mkdir(join(folder, 'later'));
    clock.advance(60_000);
    await expect.poll(async () => (await readKnown(missing))?.devices).toEqual([DEVICE]);
    await known.close();
  });
});
