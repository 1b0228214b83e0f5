import type { Clock } from '../system/clock.ts';
import type { CliIo } from './command.ts';

/** Subscribers have 2 s for their goodbye, answers 1 s; serial ports and files some of their own. */
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
