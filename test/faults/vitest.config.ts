// How faults and races are tested: long runs of real processes, two files at a time.
// Promises: no test depends on how fast it is; files that take longest begin first. Not a part of npm test:
// npm run test:faults.
// Source: https://vitest.dev/config/
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take longest, longest first. */
const longest = [
  'long-lives',
  'service-faults-glue',
  'service-faults-files',
  'kills',
  'races',
  'virtual-week',
  'many-tables',
  'image',
  'scheduled-job',
  'commit-matrix',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const at = longest.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
      return at < 0 ? longest.length : at;
    };
    return [...files].sort((a, b) => place(a) - place(b));
  }
}

export default defineConfig({
  test: {
    include: ['test/faults/**/*.test.ts', 'test/upkeep/sixty-days.test.ts'],
    globalSetup: 'test/scratch-folder.ts',
    env: { TIDELAKE_LONG_RUNS: process.env.TIDELAKE_LONG_RUNS ?? '1' },
    testTimeout: 900_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
  },
});
