import { defineConfig } from 'vitest/config';

/** What the way to write to many sockets could break. */
const OF_WRITES = [
  'bare-programs',
  'conversation',
  'crowd',
  'delivery',
  'flush-loop',
  'half-open',
  'hostile-subscribers',
  'recovery',
  'slow-subscriber',
  'sse',
  'weak-network',
].map((name) => `test/feed/hub/${name}.test.ts`);

/** The same tests once more, with one way to write (`test/support/test-writes.ts`). */
const writing = (way: string) => ({
  extends: true as const,
  test: { name: `writes by ${way}`, include: OF_WRITES, env: { HEARTWIRE_TEST_WRITES: way } },
});

export default defineConfig({
  test: {
    globalSetup: ['test/support/leaves-nothing.ts'],
    // Real sockets, ptys and child processes on shared machines: generous bounds, no absolute times asserted.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    expect: { poll: { timeout: 30_000, interval: 20 } },
    reporters: ['default', './scripts/closing-line-reporter.mjs'],
    projects: [
      { extends: true, test: { name: 'all', include: ['test/**/*.test.ts'] } },
      ...['sockets', 'threads'].map(writing),
    ],
  },
});
