import { open } from 'node:fs/promises';
import type { WireTap } from '../../src/devices/wire.ts';
import { Recorder } from '../../src/recording/recorder.ts';
import type { CreateFile, RecorderSettings } from '../../src/recording/recording-store.ts';
import { FakeClock } from './fake-clock.ts';
import { dialIn, settings } from './session-bench.ts';

const RECORDER_DEFAULTS = {
  maxFileBytes: 64 * 1024 * 1024,
  maxAgeMs: 24 * 3_600_000,
  budgetBytes: 1024 * 1024 * 1024,
  maxFiles: 10_000,
  gzip: false,
} as const;

/** A recorder on a clock that the test moves; `in-...` dial in, and `secret` is not recorded. */
export class RecorderBench implements AsyncDisposable {
  readonly clock: FakeClock;
  readonly errors: string[] = [];
  readonly infos: string[] = [];
  readonly warnings: string[] = [];
  readonly recorder: Recorder;

  constructor(
    changes: Partial<RecorderSettings> & Pick<RecorderSettings, 'dir'>,
    createFile?: CreateFile,
    clock = new FakeClock(),
  ) {
    this.clock = clock;
    this.recorder = new Recorder({
      settings: { ...RECORDER_DEFAULTS, ...changes },
      clock,
      log: {
        info: (_fields, text) => void this.infos.push(text),
        warn: (_fields, text) => void this.warnings.push(text),
        error: (_fields, text) => void this.errors.push(text),
      },
      createFile,
      describe: (device) => {
        if (device === 'secret') return undefined;
        const common = { line: 'stream', maxFrame: 1_048_576, timeZone: 'UTC', knownBy: 'register' } as const;
        return device.startsWith('in-')
          ? { ...common, settings: dialIn({ device }), dialIn: true }
          : { ...common, settings: settings({ device }), dialIn: false };
      },
    });
  }

  tap(device: string): Required<Pick<WireTap, 'opened' | 'received' | 'sent' | 'closed'>> {
    const { opened, received, sent, closed } = this.recorder.tap(device) ?? {};
    if (!opened || !received || !sent || !closed) throw new Error(`${device} is not recorded`);
    return { opened, received, sent, closed };
  }

  /** Lets a second pass, and the disk do what it has to. */
  async second(): Promise<void> {
    this.clock.advance(1_000);
    await this.recorder.flushed();
  }

  /** A minute passes, so that what is interrupted is tried again. */
  async minute(): Promise<void> {
    for (let second = 0; second < 62; second++) await this.second();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.recorder.close();
  }
}

export interface Fault {
  /** In the path of the files that are concerned; all of them where it is empty. */
  of: string;
  at: 'create' | 'write' | 'never';
  readonly code: 'ENOSPC' | 'EMFILE' | 'EIO';
}

/** Makes files on a disk that fails while `fault` says so; `created` counts the tries. */
export function faultyDisk(fault: Fault): { readonly create: CreateFile; created: number } {
  const failure = () =>
    Object.assign(new Error(`${fault.code}: it failed, ${fault.at}`), { code: fault.code });
  const disk = {
    created: 0,
    create: (async (path, mode) => {
      disk.created += 1;
      const fails = (at: Fault['at']) => fault.at === at && path.includes(fault.of);
      if (fails('create')) throw failure();
      const file = await open(path, mode === 'new' ? 'wx' : 'a');
      return {
        write: async (bytes, offset, length) => {
          if (fails('write')) throw failure();
          return file.write(bytes, offset, length);
        },
        close: () => file.close(),
      };
    }) satisfies CreateFile,
  };
  return disk;
}
