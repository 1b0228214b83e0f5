import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/leaves-nothing.ts'],
    // Real sockets, ptys and child processes on shared machines: generous bounds, no absolute times asserted.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    expect: { poll: { timeout: 30_000, interval: 20 } },
    reporters: ['default', './scripts/closing-line-reporter.mjs'],
  },
});
