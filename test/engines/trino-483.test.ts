// Trino 483 reads what Tidelake writes, through Glue and S3.
import { afterAll, beforeAll } from 'vitest';
import { describeEngine } from './harness/engines.js';
import { readSuite } from './harness/read-suite.js';
import { sharedEndpoint } from './harness/run.js';
import { savedQueriesSuite } from './harness/saved-queries.js';
import { Trino } from './harness/trino.js';

describeEngine('trino-483', () => {
  let trino: Trino;
  beforeAll(async () => {
    trino = await Trino.start('trino-483', await sharedEndpoint());
  });
  afterAll(() => trino?.close());

  readSuite(() => trino);
  savedQueriesSuite(() => trino);
});
