import { type Log, tellDefect } from '../../system/index.ts';
import type { PartialUpload } from '../core/partial-upload.ts';
import type { Effect } from '../core/session-events.ts';
import type { ArrivedFile, UploadStore } from './upload-store.ts';

export interface DeviceFilesOptions {
  readonly device: string;
  /** Absent: files of devices are not wanted. */
  readonly uploads: UploadStore | undefined;
  readonly log: Log;
  /** A chunk is on the disk, or could not be put there. */
  stored(transfer: number, ok: boolean): void;
  arrived(file: ArrivedFile, transfer: number): void;
}

/** Carries the files of one device from its session to the disk; failures go to the log. */
export class DeviceFiles {
  readonly #options: DeviceFilesOptions;
  /** Counts `forget`: chunks stored before the last one are not reported. */
  #forgotten = 0;

  constructor(options: DeviceFilesOptions) {
    this.#options = options;
  }

  /** What an earlier run has stored of files that are not whole; from now on it is the session's to go on with. */
  takePartials(): readonly PartialUpload[] {
    return this.#options.uploads?.takePartials(this.#options.device) ?? [];
  }

  store({ transfer, ...piece }: Extract<Effect, { type: 'storeChunk' }>): void {
    const { device, uploads } = this.#options;
    const forgotten = this.#forgotten;
    const stored = (ok: boolean): void => {
      if (forgotten === this.#forgotten) this.#options.stored(transfer, ok);
    };
    const storing =
      uploads?.store(device, transfer, piece) ?? Promise.reject(new Error('no file is wanted here'));
    storing.then(
      (file) => {
        stored(true);
        if (file !== undefined) this.#arrived(file, transfer);
      },
      (cause: unknown) => {
        this.#failed(cause);
        stored(false);
      },
    );
  }

  drop(transfer: number): void {
    const { device, uploads } = this.#options;
    uploads?.drop(device, transfer).catch((cause: unknown) => this.#failed(cause));
  }

  /** Gives up all that is not whole. */
  forget(): void {
    const { device, uploads } = this.#options;
    this.#forgotten += 1;
    uploads?.forget(device).catch((cause: unknown) => this.#failed(cause));
  }

  #arrived(file: ArrivedFile, transfer: number): void {
    const { device, log, arrived } = this.#options;
    try {
      arrived(file, transfer);
    } catch (cause) {
      // The file is on the disk; no caller would catch this.
      tellDefect(log, { device }, cause);
    }
  }

  #failed(cause: unknown): void {
    const { device, log } = this.#options;
    const text = cause instanceof Error ? cause.message : String(cause);
    log.error({ device, code: 'file_not_stored' }, `a file could not be stored: ${text}`);
  }
}
