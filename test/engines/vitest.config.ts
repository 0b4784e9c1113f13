// How the engines are tested: one file after the other, since every file starts engines of its own.
// Promises: never more than two Java machines at once; a test may take long, as engines do.
// Source: https://vitest.dev/config/
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/engines/**/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    pool: 'forks',
    maxWorkers: 1,
    // All files share one process, and so one endpoint and one set of tables.
    isolate: false,
    // Nobody verifies them, and no other account may be meant.
    env: {
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_REGION: 'eu-west-1',
      AWS_CONFIG_FILE: '/nonexistent/config',
      AWS_SHARED_CREDENTIALS_FILE: '/nonexistent/credentials',
      AWS_EC2_METADATA_DISABLED: 'true',
    },
    reporters: ['verbose'],
  },
});
