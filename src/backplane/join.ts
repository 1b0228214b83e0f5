import type { BackplaneConfig } from '../config/index.ts';
import type { Clock, Log } from '../system/index.ts';
import { RedisBackplane } from './redis-backplane.ts';
import { SharedFeed } from './shared-feed.ts';
import type { SharedStore } from './shared-store.ts';

export interface JoinOptions {
  readonly config: BackplaneConfig;
  readonly store: SharedStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
}

/** This instance among those that share one server; nothing is connected yet. */
export function joinSharedFeed({ random, ...options }: JoinOptions): SharedFeed {
  const { config, clock } = options;
  return new SharedFeed({
    ...options,
    backplane: (life) => new RedisBackplane({ config, life, clock, random }),
  });
}
