// A second opinion on Tidelake's requests to S3 and Glue: moto's server answers them as well as the simulator does.
// moto does not know Glue's VersionId, so it says nothing about two writers at once. The contracts of stores and catalogs
// hold on it as on every other implementation.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AwsClients, createAwsClients } from '../../pipeline/aws/clients.js';
import { GlueCatalog } from '../../pipeline/aws/glue-catalog.js';
import { S3Store } from '../../pipeline/aws/s3-store.js';
import { query, status, verify } from '../../pipeline/index.js';
import { SystemClock } from '../../pipeline/local/clock.js';
import { RandomIds } from '../../pipeline/local/ids.js';
import { catalogContract } from '../contracts/catalog.js';
import { objectStoreContract } from '../contracts/object-store.js';
import { differences, expectedItems } from '../scenarios/story-world.js';
import { type RunningEndpoint, startMoto } from './harness/endpoint.js';
import { describeEngine } from './harness/engines.js';
import { type EngineLake, prepareEndpoint, storyLake } from './harness/lakes.js';

describeEngine('moto', () => {
  let endpoint: RunningEndpoint;
  let lake: EngineLake;
  let clients: AwsClients;

  beforeAll(async () => {
    endpoint = await startMoto();
    clients = createAwsClients({ endpoint: endpoint.url, region: endpoint.region });
    await prepareEndpoint(endpoint);
    lake = await storyLake(
      endpoint,
      'orders',
      { dataset: 'mystore', items: 200, windows: 3 },
      { buckets: 2 },
    );
  });
  afterAll(async () => {
    clients?.close();
    await endpoint?.close();
  });

  const root = 's3://tidelake/contracts';
  const storeOnMoto = (): S3Store => new S3Store({ client: () => clients.s3() });
  objectStoreContract('S3, by moto', async () => ({ store: storeOnMoto(), root }));
  catalogContract(
    'Glue, by moto',
    async () => {
      const store = storeOnMoto();
      const world = { clock: new SystemClock(), ids: new RandomIds() };
      return { catalog: new GlueCatalog({ clients, store, lakeUri: root, ...world }), store, root };
    },
    { isLocked: false },
  );

  it('keeps what load and merge write', async () => {
    for (const { ms } of lake.states) {
      const found = await lake.items(new Date(ms).toISOString());
      const expected = expectedItems(lake.past, ms);
      expect(differences(found, expected)).toEqual({ missing: [], extra: [] });
      expect(found).toHaveLength(expected.length);
    }
  });

  it('answers query, status and verify', async () => {
    const sql = 'SELECT count(*), count(DISTINCT clientid) FROM orders';
    const items = [...lake.past.itemsAt(lake.states.at(-1)!.ms * 1000)];
    const clients = new Set(items.map((item) => JSON.stringify(item.get('clientid'))));
    const rows: unknown[] = [];
    for await (const row of (await query(lake.world, { ...lake.target, sql })).rows) rows.push(row);
    expect(rows).toEqual([[items.length, clients.size]]);

    const [row] = await status(lake.world, lake.target);
    expect(row).toMatchObject({ rows: items.length, health: 'ok', problem: null });
    const [report] = await verify(lake.world, lake.target);
    expect(report!.checks.filter(({ ok }) => !ok)).toEqual([]);
  });
});
