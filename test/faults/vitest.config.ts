// How faults and races are tested: long runs of real processes, one file after the other.
// Promises: nothing else of this suite takes the processors meanwhile. Not a part of npm test: npm run test:faults.
// Source: https://vitest.dev/config/
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/faults/**/*.test.ts', 'test/schedule/long-runs.test.ts'],
    env: { TIDELAKE_LONG_RUNS: '1' },
    testTimeout: 900_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 1,
  },
});
