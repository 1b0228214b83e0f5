import { stat } from 'node:fs/promises';
import type { SecureContextOptions } from 'node:tls';
import type { TlsFiles } from '../contract/tls-files.ts';
import type { HeartwireError } from '../errors.ts';
import type { Clock, Timer } from './clock.ts';
import { outOfDate, readTlsPair } from './tls-pair.ts';

/** How often it is looked whether the files have changed. */
const LOOK_MS = 5_000;

/** A server that can go on with another certificate. */
export interface TlsServing {
  setSecureContext(options: SecureContextOptions): void;
}

export interface TlsSourceOptions {
  readonly files: TlsFiles;
  readonly clock: Clock;
  /** A new pair is served from now on. */
  renewed?(validUntil: number): void;
  /** The new files cannot be served, and the former pair still is; or the dates of the present one do not fit. */
  failed?(error: HeartwireError): void;
}

/**
 * One pair of certificate and key for all servers of a bridge, read again when its files change. The files are looked
 * at, not watched: what renews certificates swaps links, folders or whole mounts, which watching does not see.
 */
export class TlsSource {
  readonly #options: TlsSourceOptions;
  readonly #servers = new Set<TlsServing>();
  #first: Promise<SecureContextOptions> | undefined;
  /** The files as they were when they were read last, and as they were at the last look. */
  #taken = '';
  #seen = '';
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: TlsSourceOptions) {
    this.#options = options;
  }

  /**
   * The pair to begin with.
   * @throws HeartwireError `tls_unreadable`, `tls_invalid`, `tls_mismatch`
   */
  load(): Promise<SecureContextOptions> {
    this.#first ??= this.#begin();
    return this.#first;
  }

  /** From now on this server gets every new pair. */
  serve(server: TlsServing): void {
    this.#servers.add(server);
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#servers.clear();
  }

  async #begin(): Promise<SecureContextOptions> {
    const { files } = this.#options;
    this.#taken = await stampOf(files);
    this.#seen = this.#taken;
    const read = await readTlsPair(files);
    if ('error' in read) throw read.error;
    const late = outOfDate(read, files, this.#options.clock.now().wallMs);
    if (late !== undefined) this.#options.failed?.(late);
    this.#arm();
    return { cert: read.cert, key: read.key };
  }

  #arm(): void {
    if (this.#closed) return;
    const { clock } = this.#options;
    this.#timer = clock.setTimer(clock.now().monoMs + LOOK_MS, () => {
      void this.#look().then(() => this.#arm());
    });
  }

  async #look(): Promise<void> {
    const stamp = await stampOf(this.#options.files);
    // Two files are never replaced at once: what has stood still from one look to the next is complete.
    const settled = stamp === this.#seen;
    this.#seen = stamp;
    if (!settled || stamp === this.#taken || this.#closed) return;
    this.#taken = stamp;
    const read = await readTlsPair(this.#options.files);
    if ('error' in read) {
      this.#options.failed?.(read.error);
      return;
    }
    for (const server of this.#servers) server.setSecureContext({ cert: read.cert, key: read.key });
    this.#options.renewed?.(read.validUntil);
    const late = outOfDate(read, this.#options.files, this.#options.clock.now().wallMs);
    if (late !== undefined) this.#options.failed?.(late);
  }
}

/** Changes whenever one of the files does, or leads elsewhere, or goes. */
async function stampOf(files: TlsFiles): Promise<string> {
  const stamps = [files.cert, files.key].map(async (path) => {
    try {
      const { dev, ino, size, mtimeMs, ctimeMs } = await stat(path);
      return [dev, ino, size, mtimeMs, ctimeMs].join(':');
    } catch {
      // Why it cannot be read is said when it is read.
      return 'gone';
    }
  });
  return (await Promise.all(stamps)).join(' ');
}
