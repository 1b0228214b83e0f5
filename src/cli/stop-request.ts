import type { CliIo } from './command.ts';

export interface StopRequest {
  readonly requested: Promise<void>;
  /** Signals end the process again. */
  [Symbol.dispose](): void;
}

/**
 * A promise of the first signal to end. Ask for it before anything is started, so that a signal that comes while it
 * starts is not lost. With `withOutput` it also ends once nobody reads the output any more. A second signal is not
 * watched for: it ends the process at once.
 */
export function stopRequest(io: CliIo, withOutput = false): StopRequest {
  const unwatch: Array<() => void> = [];
  const letGo = (): void => {
    for (const each of unwatch.splice(0)) each();
  };
  const requested = new Promise<void>((resolve) => {
    const first = (): void => {
      letGo();
      resolve();
    };
    // SIGHUP: the terminal was closed.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) unwatch.push(io.onSignal(signal, first));
    if (!withOutput) return;
    io.outClosed.addEventListener('abort', () => resolve(), { once: true });
    if (io.outClosed.aborted) resolve();
  });
  return {
    requested,
    [Symbol.dispose]: letGo,
  };
}
