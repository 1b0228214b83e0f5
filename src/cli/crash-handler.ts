import { tellDefect } from '../system/defect.ts';
import type { Log } from '../system/log.ts';
import type { CliIo } from './command.ts';

export interface CrashHandler {
  readonly happened: Promise<'broken'>;
  /** What nobody catches ends the process again. */
  [Symbol.dispose](): void;
}

/**
 * A promise of the first defect that nobody caught, each of which is told to the log. Anything may be half done then:
 * a program that ends in order, and is started anew, is better than one that goes on.
 */
export function crashHandler(io: CliIo, log: Log): CrashHandler {
  let unwatch = (): void => undefined;
  const happened = new Promise<'broken'>((resolve) => {
    unwatch = io.onUncaught((cause) => {
      tellDefect(log, {}, cause);
      resolve('broken');
    });
  });
  return { happened, [Symbol.dispose]: unwatch };
}
