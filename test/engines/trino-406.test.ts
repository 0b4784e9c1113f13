// Trino 406 reads what Tidelake writes, through Glue and S3.
import { afterAll, beforeAll } from 'vitest';
import { describeEngine } from './harness/engines.js';
import { readSuite } from './harness/read-suite.js';
import { sharedEndpoint } from './harness/run.js';
import { savedQueriesSuite } from './harness/saved-queries.js';
import { Trino } from './harness/trino.js';

describeEngine('trino-406', () => {
  let trino: Trino;
  beforeAll(async () => {
    trino = await Trino.start('trino-406', await sharedEndpoint());
  });
  afterAll(() => trino?.close());

  readSuite(() => trino);
  savedQueriesSuite(() => trino);
});
