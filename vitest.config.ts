// How the tests run: every test/**/*.test.ts, offline, in at most two processes.
// Promises: no test waits longer than a minute, or than the limit of its own where it lives through days; nothing depends on
// order between files.
// Source: https://vitest.dev/config/
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Engines have to be fetched first: npm run test:engines. Faults and races take long: npm run test:faults.
    exclude: ['test/engines/**', 'test/faults/**'],
    globalSetup: 'test/scratch-folder.ts',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
