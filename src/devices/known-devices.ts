import { rename } from 'node:fs/promises';
import type { Clock, Timer } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import { type KnownDevice, readKnown, writeKnown } from './known-devices-file.ts';

/** What is different is written at most so often; a large file, which takes longer, less often. */
const WRITE_EVERY_MS = 2_000;
const SHARE_OF_TIME = 20;
/** A file that could not be written is tried again after so long. */
const AGAIN_AFTER_MS = 60_000;

export interface KnownDevicesOptions {
  readonly file: string;
  readonly clock: Clock;
  readonly log: Log;
  /** All that are known now. */
  devices(): Iterable<KnownDevice>;
}

/** Keeps the unannounced devices in a file, so that the next run knows them. Whatever the disk does, the bridge goes on. */
export class KnownDevices {
  readonly #options: KnownDevicesOptions;
  #changed = false;
  #writing: Promise<void> | undefined;
  #timer: Timer | undefined;
  /** Monotonic ms before which nothing is written. */
  #notBefore = Number.NEGATIVE_INFINITY;
  #failed = false;
  /** A file that cannot be read may be another's, and is not written over. */
  #off = false;
  #closed = false;

  constructor(options: KnownDevicesOptions) {
    this.#options = options;
  }

  /** What the run before knew. */
  async load(): Promise<readonly KnownDevice[]> {
    const { file, log } = this.#options;
    try {
      const { devices, broken } = (await readKnown(file)) ?? { devices: [], broken: 0 };
      if (broken > 0) {
        const aside = `${file}.broken`;
        const kept = await rename(file, aside).then(
          () => `it was set aside as ${aside}`,
          (error: unknown) => `it could not be set aside as ${aside}: ${messageOf(error)}`,
        );
        const text = `${file} is broken (${broken} lines); ${devices.length} devices in it are known, and ${kept}`;
        log.error({ code: 'known_devices_unreadable' }, text);
      }
      return devices;
    } catch (error) {
      this.#off = true;
      const text = `${file} cannot be read, and no device is remembered in it: ${messageOf(error)}. Make it readable, or set known_devices.file`;
      log.error({ code: 'known_devices_unreadable' }, text);
      return [];
    }
  }

  /** Something that stands in the file is different now. */
  changed(): void {
    if (this.#closed) return;
    this.#changed = true;
    this.#writeLater();
  }

  /** Writes what is different still; what changes from here on is not kept. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#writing;
    if (this.#changed && !this.#off) await this.#write();
  }

  #writeLater(): void {
    if (this.#off || this.#closed || this.#timer !== undefined || this.#writing !== undefined) return;
    const { clock } = this.#options;
    const at = Math.max(clock.now().monoMs + WRITE_EVERY_MS, this.#notBefore);
    this.#timer = clock.setTimer(at, () => {
      this.#timer = undefined;
      this.#writing = this.#write().finally(() => {
        this.#writing = undefined;
        if (this.#changed) this.#writeLater();
      });
    });
  }

  /** Never rejects. */
  async #write(): Promise<void> {
    const { file, clock, log, devices } = this.#options;
    const began = clock.now().monoMs;
    this.#changed = false;
    try {
      await writeKnown(file, devices());
      this.#notBefore = began + (clock.now().monoMs - began) * SHARE_OF_TIME;
      if (this.#failed) log.info({ event: 'known_devices_written' }, `${file} is written again`);
      this.#failed = false;
    } catch (error) {
      this.#changed = true;
      this.#notBefore = clock.now().monoMs + AGAIN_AFTER_MS;
      const text = `${file} cannot be written, and the next run will not know all devices: ${messageOf(error)}. Make its folder writable, or set known_devices.file`;
      if (!this.#failed) log.error({ code: 'known_devices_unwritable' }, text);
      this.#failed = true;
    }
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
