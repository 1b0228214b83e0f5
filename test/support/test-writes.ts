import type { FeedWritesOptions } from '../../src/feed/writes/feed-writes.ts';

/** How a feed writes to its sockets, by what the project of a test run says (`vitest.config.ts`). */
const WAYS: Readonly<Record<string, FeedWritesOptions>> = {
  sockets: { native: false, workers: 0 },
  native: { native: true, workers: 0 },
  threads: { native: true, workers: 2 },
};

/** The way that the present project of the tests is for: as the program does it, where it is for none. */
export function testWrites(): FeedWritesOptions {
  const options = WAYS[process.env.HEARTWIRE_TEST_WRITES ?? 'native'];
  if (options === undefined) throw new Error(`no such way to write: ${process.env.HEARTWIRE_TEST_WRITES}`);
  return options;
}
