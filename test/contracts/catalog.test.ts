// The catalogs under the one contract: files in memory and on disk, Glue over the simulator always; elsewhere when the
// environment names a place. TIDELAKE_TEST_S3_URI: a prefix in a real account, with credentials as the SDK finds them; its
// Glue gets databases `tidelake_contract_…`, which are removed at the end. TIDELAKE_MOTO_URL: moto's server.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DeleteDatabaseCommand, paginateGetDatabases } from '@aws-sdk/client-glue';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { type AwsClients, createAwsClients } from '../../pipeline/aws/clients.js';
import { GlueCatalog } from '../../pipeline/aws/glue-catalog.js';
import { S3Store } from '../../pipeline/aws/s3-store.js';
import { FilesCatalog } from '../../pipeline/lake/files-catalog.js';
import { SystemClock } from '../../pipeline/local/clock.js';
import { DiskStore } from '../../pipeline/local/disk-store.js';
import { toFileUri } from '../../pipeline/local/file-uri.js';
import { RandomIds } from '../../pipeline/local/ids.js';
import { MemoryStore } from '../../pipeline/local/memory-store.js';
import { lakeUri, SimulatedGlue } from '../aws/simulated-glue.js';
import { type CatalogUnderTest, catalogContract } from './catalog.js';

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

catalogContract('files in memory', async () => {
  const store = new MemoryStore();
  const root = 'memory://lake';
  return { catalog: new FilesCatalog(store, root), store, root };
});

catalogContract('files on disk', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'tidelake-test-'));
  folders.push(folder);
  const store = new DiskStore();
  const root = toFileUri(folder);
  return { catalog: new FilesCatalog(store, root), store, root };
});

describe('simulator', () => {
  let sim: SimulatedGlue;
  beforeAll(async () => {
    sim = await SimulatedGlue.start();
  });
  afterAll(() => sim.close());
  catalogContract('files in S3, simulated', async () => ({
    catalog: new FilesCatalog(sim.store, lakeUri),
    store: sim.store,
    root: lakeUri,
  }));
  catalogContract('Glue, simulated', async () => ({
    catalog: sim.catalog(),
    store: sim.store,
    root: lakeUri,
  }));
});

function inGlue(clients: AwsClients, root: string): CatalogUnderTest {
  const store = new S3Store({ client: () => clients.s3() });
  const world = { clock: new SystemClock(), ids: new RandomIds() };
  return { catalog: new GlueCatalog({ clients, store, lakeUri: root, ...world }), store, root };
}

const motoUrl = process.env.TIDELAKE_MOTO_URL;
if (motoUrl === undefined || motoUrl === '') {
  it.skip('catalog contract: Glue by moto (TIDELAKE_MOTO_URL is not set)', () => {});
} else {
  const clients = createAwsClients({ endpoint: motoUrl, region: 'eu-west-1' });
  beforeAll(async () => {
    process.env.AWS_ACCESS_KEY_ID ??= 'test';
    process.env.AWS_SECRET_ACCESS_KEY ??= 'test';
    await (await clients.s3()).send(
      new CreateBucketCommand({
        Bucket: 'tidelake-catalog',
        CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' },
      }),
    );
  });
  // moto takes an UpdateTable with any VersionId, so two writers at once both win there.
  catalogContract('Glue, by moto', async () => inGlue(clients, 's3://tidelake-catalog/prefix'), {
    isLocked: false,
  });
}

const realUri = process.env.TIDELAKE_TEST_S3_URI;
if (realUri === undefined || realUri === '') {
  it.skip('catalog contract: Glue of an account (TIDELAKE_TEST_S3_URI is not set)', () => {});
} else {
  const clients = createAwsClients({});
  afterAll(async () => {
    const client = await clients.glue();
    for await (const page of paginateGetDatabases({ client }, {})) {
      for (const { Name } of page.DatabaseList ?? []) {
        if (Name?.startsWith('tidelake_contract_') !== true) continue;
        await client.send(new DeleteDatabaseCommand({ Name }));
      }
    }
  });
  catalogContract('Glue, of an account', async () => inGlue(clients, realUri.replace(/\/+$/, '')));
}
