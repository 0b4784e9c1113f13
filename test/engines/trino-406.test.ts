// Trino 406 reads what Tidelake writes, through Glue and S3, and Tidelake goes on after what it writes.
import { afterAll, beforeAll } from 'vitest';
import type { AwsEndpoint } from './harness/endpoint.js';
import { describeEngine } from './harness/engines.js';
import { readSuite } from './harness/read-suite.js';
import { sharedEndpoint } from './harness/run.js';
import { savedQueriesSuite } from './harness/saved-queries.js';
import { Trino } from './harness/trino.js';
import { writeSuite } from './harness/write-suite.js';

describeEngine('trino-406', () => {
  let endpoint: AwsEndpoint;
  let trino: Trino;
  beforeAll(async () => {
    endpoint = await sharedEndpoint();
    trino = await Trino.start('trino-406', endpoint);
  });
  afterAll(() => trino?.close());

  readSuite(() => trino);
  writeSuite(
    'trino-406',
    () => trino,
    () => endpoint,
  );
  savedQueriesSuite(() => trino);
});
