// How faults and races are tested: long runs of real processes, one file after the other.
// Promises: nothing else of this suite takes the processors meanwhile. Not a part of npm test: npm run test:faults.
// Source: https://vitest.dev/config/
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/faults/**/*.test.ts'],
    testTimeout: 900_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 1,
  },
});
