import type { SerialPort } from 'serialport';
import { HeartwireError } from '../errors.ts';

let loading: Promise<typeof SerialPort> | undefined;

/**
 * The serial library, loaded at its first use: who speaks TCP only never loads its native part. Rejects with
 * `serial_unavailable` where that does not load, and tries again the next time.
 */
export function loadSerialPort(): Promise<typeof SerialPort> {
  loading ??= import('serialport').then(
    (library) => library.SerialPort,
    (cause: unknown) => {
      loading = undefined;
      throw new HeartwireError(
        'serial_unavailable',
        `The native part of the serial library does not load on ${process.platform}-${process.arch}: ${
          cause instanceof Error ? cause.message.split('\n', 1)[0] : String(cause)
        }`,
        { cause, mend: 'Run `npm rebuild @serialport/bindings-cpp` with the Node that runs the bridge.' },
      );
    },
  );
  return loading;
}
