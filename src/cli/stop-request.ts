import type { CliIo } from './command.ts';

export interface StopRequest {
  readonly requested: Promise<void>;
  /** Signals end the process again. */
  [Symbol.dispose](): void;
}

/**
 * A promise of the first signal to end. Ask for it before anything is started, so that a signal that comes while it
 * starts is not lost. With `withOutput` it also ends once nobody reads the output any more.
 */
export function stopRequest(io: CliIo, withOutput = false): StopRequest {
  const unwatch: Array<() => void> = [];
  const requested = new Promise<void>((resolve) => {
    unwatch.push(io.onSignal('SIGINT', resolve), io.onSignal('SIGTERM', resolve));
    if (!withOutput) return;
    io.outClosed.addEventListener('abort', () => resolve(), { once: true });
    if (io.outClosed.aborted) resolve();
  });
  return {
    requested,
    [Symbol.dispose]: () => {
      for (const each of unwatch) each();
    },
  };
}
