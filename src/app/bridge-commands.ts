import type { CommandOutcome, FeedClient, FeedCommand } from '../contract/index.ts';
import type { Clock } from '../system/index.ts';

/** Commands under way have so long to be answered once the bridge stops, in ms. */
const DRAIN_MS = 3_000;

type Perform = (command: FeedCommand, client: FeedClient) => Promise<CommandOutcome>;

export interface BridgeCommandsOptions {
  readonly clock: Clock;
  /** Where the device is: here, or at another instance. */
  readonly anywhere: Perform;
  /** By a device of this instance. */
  readonly here: Perform;
}

/**
 * Every command passes here, of subscribers and of other instances. Once the bridge stops, those under way are waited for
 * with their links open, and new ones are refused before anything is sent.
 */
export class BridgeCommands {
  readonly #options: BridgeCommandsOptions;
  readonly #open = new Set<Promise<unknown>>();
  #stopping = false;

  constructor(options: BridgeCommandsOptions) {
    this.#options = options;
  }

  readonly anywhere: Perform = (command, client) => this.#run(this.#options.anywhere, command, client);
  readonly here: Perform = (command, client) => this.#run(this.#options.here, command, client);

  /** Resolves once nothing is under way, or the time for it is over. */
  async drain(): Promise<void> {
    this.#stopping = true;
    if (this.#open.size === 0) return;
    const { clock } = this.#options;
    const settled = Promise.allSettled(this.#open);
    await new Promise<void>((resolve) => {
      const timer = clock.setTimer(clock.now().monoMs + DRAIN_MS, resolve);
      void settled.then(() => {
        timer.cancel();
        // What was answered just now is written at the end of this turn.
        setImmediate(resolve);
      });
    });
  }

  async #run(perform: Perform, command: FeedCommand, client: FeedClient): Promise<CommandOutcome> {
    if (this.#stopping)
      return {
        ok: false,
        code: 'device_not_online',
        message: `The bridge is being stopped; nothing was sent to ${command.device}.`,
        retry: true,
      };
    const outcome = perform(command, client);
    this.#open.add(outcome);
    try {
      return await outcome;
    } finally {
      this.#open.delete(outcome);
    }
  }
}
