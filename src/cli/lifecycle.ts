import type { Clock } from '../system/index.ts';
import type { CliIo } from './command.ts';

export interface StopRequest {
  readonly requested: Promise<void>;
  /** Signals end the process again. */
  [Symbol.dispose](): void;
}

export interface StopOptions {
  /** The command also ends once standard output is closed. */
  readonly withOutput?: boolean;
  /** False: SIGHUP means something else to this command. */
  readonly hangs?: boolean;
}

/**
 * A promise of the first signal to end. Ask for it before anything is started, so that a signal that comes while it
 * starts is not lost. A second signal is not watched for: it ends the process at once.
 */
export function stopRequest(io: CliIo, { withOutput = false, hangs = true }: StopOptions = {}): StopRequest {
  const unwatch: Array<() => void> = [];
  const unwatchAll = (): void => {
    for (const each of unwatch.splice(0)) each();
  };
  const requested = new Promise<void>((resolve) => {
    const first = (): void => {
      unwatchAll();
      resolve();
    };
    for (const signal of ['SIGINT', 'SIGTERM'] as const) unwatch.push(io.onSignal(signal, first));
    // The terminal was closed.
    if (hangs) unwatch.push(io.onSignal('SIGHUP', first));
    if (!withOutput) return;
    io.outClosed.addEventListener('abort', () => resolve(), { once: true });
    if (io.outClosed.aborted) resolve();
  });
  return {
    requested,
    [Symbol.dispose]: unwatchAll,
  };
}

/** Subscribers have 2 s to close, answers 1 s; serial ports and files have limits of their own. */
export const END_DEADLINE_MS = 10_000;

/** Disposes of something at the end of a scope, and waits for it no longer than the deadline. */
export function endWithin(whole: AsyncDisposable, io: CliIo, clock: Clock): AsyncDisposable {
  return {
    async [Symbol.asyncDispose]() {
      let cancel = (): void => undefined;
      const late = new Promise<'late'>((resolve) => {
        const timer = clock.setTimer(clock.now().monoMs + END_DEADLINE_MS, () => resolve('late'));
        cancel = () => timer.cancel();
      });
      const ended = await Promise.race([whole[Symbol.asyncDispose](), late]);
      cancel();
      if (ended === 'late')
        io.err(
          `heartwire: not everything was closed within ${END_DEADLINE_MS / 1_000} s; ended all the same\n`,
        );
    },
  };
}
