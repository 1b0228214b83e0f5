import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type FileProbe,
  FileWatcher,
  LOOK_EVERY_MS,
  SETTLE_MS,
} from '../../../src/app/reload/file-watcher.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** Files that are versions and nothing else, in directories that tell what the test says. */
class PaperFiles implements FileProbe {
  readonly versions = new Map<string, string>();
  readonly watched = new Map<string, () => void>();
  tells = true;
  looks = 0;

  async stamp(path: string): Promise<string | undefined> {
    this.looks += 1;
    return this.versions.get(path);
  }

  async realDirectory(path: string): Promise<string | undefined> {
    return path === '/etc/link.yaml' ? '/srv/real' : undefined;
  }

  watch(directory: string, touched: () => void) {
    if (!this.tells) return undefined;
    this.watched.set(directory, touched);
    return { close: () => void this.watched.delete(directory) };
  }

  write(path: string, version: string | undefined): void {
    if (version === undefined) this.versions.delete(path);
    else this.versions.set(path, version);
    for (const touched of this.watched.values()) touched();
  }
}

async function bench(sources: Readonly<Record<string, string | undefined>>) {
  const clock = new FakeClock();
  const files = new PaperFiles();
  for (const [path, version] of Object.entries(sources)) if (version) files.versions.set(path, version);
  let changes = 0;
  const watcher = new FileWatcher({ clock, probe: files, changed: () => void changes++ });
  await watcher.follow(new Map(Object.entries(sources)));
  return {
    clock,
    files,
    watcher,
    changes: () => changes,
    /** So much time passes, and everything that waited for a file has its turn. */
    async pass(ms: number) {
      for (let at = 0; at < ms; at += 10) {
        clock.advance(10);
        for (let turn = 0; turn < 10; turn++) await Promise.resolve();
      }
    },
  };
}

const FILE = '/etc/devices.yaml';

describe('a watcher of files', () => {
  it('tells of a change once it has settled, and once only', async () => {
    const { files, pass, changes } = await bench({ [FILE]: '1' });
    await pass(1_000);
    expect(changes()).toBe(0);
    files.write(FILE, '2');
    await pass(SETTLE_MS);
    expect(changes()).toBe(0);
    await pass(2 * SETTLE_MS);
    expect(changes()).toBe(1);
    await pass(3 * LOOK_EVERY_MS);
    expect(changes()).toBe(1);
  });

  it('waits while a file is emptied, written twice, or taken away and put back', async () => {
    const { files, pass, changes } = await bench({ [FILE]: '1' });
    for (const version of ['empty', undefined, 'half', 'most', '2']) {
      files.write(FILE, version);
      await pass(SETTLE_MS - 20);
    }
    expect(changes()).toBe(0);
    await pass(2 * SETTLE_MS);
    expect(changes()).toBe(1);
  });

  it('tells nothing of a file that is what it was, however often it was touched', async () => {
    const { files, pass, changes } = await bench({ [FILE]: '1' });
    files.write(FILE, 'empty');
    files.write(FILE, '1');
    await pass(1_000);
    files.write('/etc/another', 'x');
    await pass(1_000);
    expect(changes()).toBe(0);
  });

  it('tells that a file is gone, and that it is there again', async () => {
    const { files, pass, changes } = await bench({ [FILE]: '1' });
    files.write(FILE, undefined);
    await pass(3 * SETTLE_MS);
    expect(changes()).toBe(1);
    files.write(FILE, '1');
    await pass(3 * SETTLE_MS);
    expect(changes()).toBe(2);
  });

  it('finds what nobody told of', async () => {
    const { files, pass, changes, clock, watcher } = await bench({ [FILE]: '1' });
    files.tells = false;
    await watcher.follow(new Map([[FILE, '1']]));
    expect(files.watched.size).toBe(0);
    await pass(1_000);
    files.write(FILE, '2');
    await pass(LOOK_EVERY_MS + 3 * SETTLE_MS);
    expect(changes()).toBe(1);
    watcher[Symbol.dispose]();
    expect(clock.timers).toBe(0);
  });

  it('finds what changed between the reading and the watching', async () => {
    const { files, watcher, pass, changes } = await bench({ [FILE]: '1' });
    files.versions.set(FILE, '2');
    await watcher.follow(new Map([[FILE, '1']]));
    await pass(3 * SETTLE_MS);
    expect(changes()).toBe(1);
    // Whoever is told reads it, and says what was read.
    await watcher.follow(new Map([[FILE, '2']]));
    await pass(3 * SETTLE_MS);
    expect(changes()).toBe(1);
  });

  it('does not tell of a file that could not be read before it is another one', async () => {
    const { files, watcher, pass, changes } = await bench({ [FILE]: '1' });
    files.versions.set('/etc/m.yaml', 'locked');
    const sources = new Map([
      [FILE, '1'],
      ['/etc/m.yaml', undefined],
    ]);
    await watcher.follow(sources);
    await pass(2 * LOOK_EVERY_MS);
    expect(changes()).toBe(0);
    files.write('/etc/m.yaml', 'readable');
    await pass(3 * SETTLE_MS);
    expect(changes()).toBe(1);
  });

  it('follows other files when it is told so, and lets go of the old ones', async () => {
    const { files, watcher, pass, changes, clock } = await bench({ [FILE]: '1', '/m/m.yaml': '1' });
    expect([...files.watched.keys()]).toEqual(['/etc', '/m']);
    files.versions.set('/etc/link.yaml', '1');
    await watcher.follow(new Map([['/etc/link.yaml', '1']]));
    expect([...files.watched.keys()]).toEqual(['/etc', '/srv/real']);
    files.write('/m/m.yaml', '2');
    files.write(FILE, '2');
    await pass(3 * SETTLE_MS);
    expect(changes()).toBe(0);
    watcher[Symbol.dispose]();
    expect([clock.timers, files.watched.size]).toEqual([0, 0]);
  });
});

describe('files on a disk', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heartwire-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** Watches `path` as it is now; tells how often it changed. */
  async function watching(path: string) {
    let changes = 0;
    const watcher = new FileWatcher({ clock: systemClock, changed: () => void changes++ });
    await watcher.follow(new Map([[path, undefined]]));
    return {
      async changed(times: number) {
        await expect.poll(() => changes, { timeout: LOOK_EVERY_MS + 5_000 }).toBe(times);
      },
      [Symbol.dispose]: () => watcher[Symbol.dispose](),
    };
  }

  it('are seen when they are written in place, replaced, taken away and put back', async () => {
    const file = join(folder, 'devices.yaml');
    await writeFile(file, 'a');
    using seen = await watching(file);
    await writeFile(file, 'b');
    await seen.changed(1);
    await writeFile(`${file}.new`, 'c');
    await rename(`${file}.new`, file);
    await seen.changed(2);
    await unlink(file);
    await seen.changed(3);
    await writeFile(file, 'c');
    await seen.changed(4);
  });

  it('are seen behind the link that Kubernetes exchanges', async () => {
    for (const version of ['..1', '..2']) {
      await mkdir(join(folder, version));
      await writeFile(join(folder, version, 'devices.yaml'), 'the same text');
    }
    await symlink('..1', join(folder, '..data'));
    await symlink('..data/devices.yaml', join(folder, 'devices.yaml'));
    using seen = await watching(join(folder, 'devices.yaml'));
    await symlink('..2', join(folder, '..data_tmp'));
    await rename(join(folder, '..data_tmp'), join(folder, '..data'));
    await seen.changed(1);
  });

  it('are seen where a link leads to another folder', async () => {
    await mkdir(join(folder, 'elsewhere'));
    const real = join(folder, 'elsewhere', 'devices.yaml');
    await writeFile(real, 'a');
    await symlink(real, join(folder, 'devices.yaml'));
    using seen = await watching(join(folder, 'devices.yaml'));
    await writeFile(real, 'b');
    await seen.changed(1);
  });

  it('are seen in a folder that was replaced as a whole', async () => {
    await mkdir(join(folder, 'config'));
    const file = join(folder, 'config', 'devices.yaml');
    await writeFile(file, 'a');
    using seen = await watching(file);
    await mkdir(join(folder, 'next'));
    await writeFile(join(folder, 'next', 'devices.yaml'), 'b');
    await rename(join(folder, 'config'), join(folder, 'old'));
    await rename(join(folder, 'next'), join(folder, 'config'));
    await seen.changed(1);
  });
});
