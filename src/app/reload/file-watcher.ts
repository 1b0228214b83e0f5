import { watch } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type FileStamp, stampOf } from '../../config/index.ts';
import type { Clock, Timer } from '../../system/index.ts';

/** A file counts as written once it has been the same for so long: editors write twice, and empty it in between. */
export const SETTLE_MS = 150;
/** Network file systems report no change, so files are polled as well, in ms. */
export const LOOK_EVERY_MS = 5_000;

/** Access to the file system; tests pass their own. */
export interface FileProbe {
  /** Undefined where there is no such file. */
  stamp(path: string): Promise<FileStamp | undefined>;
  /** The directory behind a path that may lead through symbolic links; undefined where it leads nowhere. */
  realDirectory(path: string): Promise<string | undefined>;
  /** Calls when something in the directory may have changed; undefined where the system cannot watch it. */
  watch(directory: string, touched: () => void): { close(): void } | undefined;
}

export interface FileWatcherOptions {
  readonly clock: Clock;
  /** One of the files is another one than before, and has settled. */
  changed(): void;
  readonly probe?: FileProbe;
}

/**
 * Says when files change. It watches the directories around them, because editors put a new file in the place of the
 * old one, and because Kubernetes exchanges the link that leads to all files of a volume; and it looks at them now and
 * again, because not every file system reports changes.
 */
export class FileWatcher {
  readonly #options: FileWatcherOptions;
  readonly #probe: FileProbe;
  /** The versions that were reported or read last. */
  readonly #known = new Map<string, FileStamp | undefined>();
  readonly #watches = new Map<string, { close(): void }>();
  /** What was seen when something was different the last time. */
  #candidate: string | undefined;
  #settling: Timer | undefined;
  #looking: Timer | undefined;
  #closed = false;

  constructor(options: FileWatcherOptions) {
    this.#options = options;
    this.#probe = options.probe ?? systemProbe;
  }

  /**
   * Follows these files from now on, and no others. The stamps are of the versions that were read; a file without one
   * could not be read; its next change is reported.
   */
  async follow(sources: ReadonlyMap<string, FileStamp | undefined>): Promise<void> {
    for (const path of this.#known.keys()) if (!sources.has(path)) this.#known.delete(path);
    for (const [path, stamp] of sources) {
      if (stamp !== undefined) this.#known.set(path, stamp);
      else if (!this.#known.has(path)) this.#known.set(path, await this.#probe.stamp(path));
    }
    await this.#watchDirectories();
    // What changed before it was watched is found now.
    this.#touched();
    this.#lookLater();
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#settling?.cancel();
    this.#looking?.cancel();
    this.#unwatch();
  }

  async #watchDirectories(): Promise<void> {
    const directories = new Set<string>();
    for (const path of this.#known.keys()) {
      directories.add(dirname(path));
      const real = await this.#probe.realDirectory(path);
      if (real !== undefined) directories.add(real);
    }
    if (this.#closed) return;
    // All of them again: a directory may have been replaced by another one of its name.
    this.#unwatch();
    for (const directory of directories) {
      const watching = this.#probe.watch(directory, () => this.#touched());
      if (watching !== undefined) this.#watches.set(directory, watching);
    }
  }

  #unwatch(): void {
    for (const each of this.#watches.values()) each.close();
    this.#watches.clear();
  }

  #touched(): void {
    if (this.#closed || this.#settling !== undefined) return;
    const { clock } = this.#options;
    this.#settling = clock.setTimer(clock.now().monoMs + SETTLE_MS, () => {
      this.#settling = undefined;
      void this.#look();
    });
  }

  #lookLater(): void {
    this.#looking?.cancel();
    if (this.#closed) return;
    const { clock } = this.#options;
    this.#looking = clock.setTimer(clock.now().monoMs + LOOK_EVERY_MS, () => {
      this.#touched();
      this.#lookLater();
    });
  }

  async #look(): Promise<void> {
    const seen = new Map<string, FileStamp | undefined>();
    for (const path of [...this.#known.keys()]) seen.set(path, await this.#probe.stamp(path));
    if (this.#closed) return;
    const different = [...seen].filter(([path, stamp]) => this.#known.get(path) !== stamp);
    if (different.length === 0) {
      this.#candidate = undefined;
      return;
    }
    const candidate = JSON.stringify(different);
    if (candidate !== this.#candidate) {
      this.#candidate = candidate;
      return this.#touched();
    }
    this.#candidate = undefined;
    for (const [path, stamp] of different) if (this.#known.has(path)) this.#known.set(path, stamp);
    this.#options.changed();
  }
}

const systemProbe: FileProbe = {
  async stamp(path) {
    try {
      return stampOf(await stat(path, { bigint: true }));
    } catch {
      // The reader of the file reports the reason.
      return undefined;
    }
  },
  async realDirectory(path) {
    try {
      return dirname(await realpath(path));
    } catch {
      return undefined;
    }
  },
  watch(directory, touched) {
    try {
      const watcher = watch(directory, () => touched());
      // It may end by itself (the directory is gone, the system has no more of them); then there is the looking.
      watcher.on('error', () => watcher.close());
      return watcher;
    } catch {
      return undefined;
    }
  },
};
