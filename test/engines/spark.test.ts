// Spark reads what Tidelake writes, through Glue and S3.
import { afterAll, beforeAll } from 'vitest';
import { describeEngine } from './harness/engines.js';
import { Spark } from './harness/python-engine.js';
import { readSuite } from './harness/read-suite.js';
import { sharedEndpoint } from './harness/run.js';

describeEngine('spark', () => {
  let engine: Spark;
  beforeAll(async () => {
    engine = await Spark.start(await sharedEndpoint());
  });
  afterAll(() => engine?.close());

  readSuite(() => engine);
});
