import type { CliIo } from './command.ts';

export interface StopRequest {
  readonly requested: Promise<void>;
  /** Signals end the process again. */
  [Symbol.dispose](): void;
}

export interface StopOptions {
  /** It also ends once nobody reads the output any more. */
  readonly withOutput?: boolean;
  /** SIGHUP means something else to this command. */
  readonly hangs?: boolean;
}

/**
 * A promise of the first signal to end. Ask for it before anything is started, so that a signal that comes while it
 * starts is not lost. A second signal is not watched for: it ends the process at once.
 */
export function stopRequest(io: CliIo, { withOutput = false, hangs = true }: StopOptions = {}): StopRequest {
  const unwatch: Array<() => void> = [];
  const letGo = (): void => {
    for (const each of unwatch.splice(0)) each();
  };
  const requested = new Promise<void>((resolve) => {
    const first = (): void => {
      letGo();
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
    [Symbol.dispose]: letGo,
  };
}
