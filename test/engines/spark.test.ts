// Spark reads what Tidelake writes, through Glue and S3, and Tidelake goes on after what it writes.
import { afterAll, beforeAll } from 'vitest';
import type { AwsEndpoint } from './harness/endpoint.js';
import { describeEngine } from './harness/engines.js';
import { Spark } from './harness/python-engine.js';
import { readSuite } from './harness/read-suite.js';
import { sharedEndpoint } from './harness/run.js';
import { writeSuite } from './harness/write-suite.js';

describeEngine('spark', () => {
  let endpoint: AwsEndpoint;
  let engine: Spark;
  beforeAll(async () => {
    endpoint = await sharedEndpoint();
    engine = await Spark.start(endpoint);
  });
  afterAll(() => engine?.close());

  readSuite(() => engine);
  writeSuite(
    'spark',
    () => engine,
    () => endpoint,
  );
});
