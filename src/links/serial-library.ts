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
        { cause, fix: 'Run `npm rebuild @serialport/bindings-cpp` with the Node that runs the bridge.' },
      );
    },
  );
  return loading;
}

const EVENTS_OF_POLLER = ['readable', 'writable'] as const;
const nothing = (): void => undefined;

/**
 * Lets reads and writes of an open port go on at once. The poller of the library calls JavaScript from native code
 * without a callback scope, so Node 26 runs the promises behind such a call only when something else turns the event
 * loop (node-serialport#3148). One immediate for each event turns it; other releases of Node do not need it. On
 * Windows the library has no poller.
 */
export function turnLoopOnEvents({ port: binding }: SerialPort): void {
  if (binding === undefined || !('poller' in binding)) return;
  for (const event of EVENTS_OF_POLLER) binding.poller.on(event, () => setImmediate(nothing));
}
