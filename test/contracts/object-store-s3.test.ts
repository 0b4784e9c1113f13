// The object store in S3 under the one contract: over the simulator always, elsewhere when the environment names a place.
// TIDELAKE_TEST_S3_URI: a prefix in a real account, with credentials as the SDK finds them. TIDELAKE_MOTO_URL: moto's server.

import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { createAwsClients } from '../../pipeline/aws/clients.js';
import { S3Store } from '../../pipeline/aws/s3-store.js';
import { SimulatedS3 } from '../aws/simulated-s3.js';
import { objectStoreContract } from './object-store.js';

describe('simulator', () => {
  let s3: SimulatedS3;
  beforeAll(async () => {
    s3 = await SimulatedS3.start();
  });
  afterAll(() => s3.close());
  objectStoreContract('S3, simulated', async () => ({
    store: s3.store(),
    root: 's3://lake/some/prefix',
  }));
});

const motoUrl = process.env.TIDELAKE_MOTO_URL;
if (motoUrl === undefined || motoUrl === '') {
  it.skip('object store contract: S3 by moto (TIDELAKE_MOTO_URL is not set)', () => {});
} else {
  const clients = createAwsClients({ endpoint: motoUrl, region: 'eu-west-1' });
  beforeAll(async () => {
    process.env.AWS_ACCESS_KEY_ID ??= 'test';
    process.env.AWS_SECRET_ACCESS_KEY ??= 'test';
    await (await clients.s3()).send(
      new CreateBucketCommand({
        Bucket: 'tidelake-contract',
        CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' },
      }),
    );
  });
  objectStoreContract('S3, by moto', async () => ({
    store: new S3Store({ client: () => clients.s3() }),
    root: 's3://tidelake-contract/prefix',
  }));
}

const realUri = process.env.TIDELAKE_TEST_S3_URI;
if (realUri === undefined || realUri === '') {
  it.skip('object store contract: S3 of an account (TIDELAKE_TEST_S3_URI is not set)', () => {});
} else {
  const clients = createAwsClients({});
  objectStoreContract('S3, of an account', async () => ({
    store: new S3Store({ client: () => clients.s3() }),
    root: realUri.replace(/\/+$/, ''),
  }));
}
