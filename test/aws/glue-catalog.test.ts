// The catalog in Glue: what becomes of a commit whose request or answer is lost, and what it leaves alone.
// Source: AWS Glue Web API Reference, UpdateTable; apache/iceberg issues 7151, 9411, 9618 (commits lost and tables bricked by
// an answer that was lost).
import {
  CreateDatabaseCommand,
  CreateTableCommand,
  DeleteTableCommand,
  GetDatabaseCommand,
  GetTableVersionsCommand,
  type UpdateTableCommandInput,
} from '@aws-sdk/client-glue';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AwsClients } from '../../pipeline/aws/clients.js';
import { GlueCatalog } from '../../pipeline/aws/glue-catalog.js';
import { serializeTableMetadata } from '../../pipeline/lake/iceberg/metadata.js';
import { ManualClock } from '../../pipeline/local/clock.js';
import { RandomIds } from '../../pipeline/local/ids.js';
import type { Catalog, CatalogEntry } from '../../pipeline/ports.js';
import type { FaultPlanInput } from '../../pipeline/simulator/aws/fault-plan.js';
import type { TableMetadata } from '../../schemas/iceberg.js';
import {
  contractDatabase,
  currentMetadata,
  firstMetadata,
  nextMetadata,
} from '../contracts/catalog.js';
import { lakeUri, SimulatedGlue } from './simulated-glue.js';

let sim: SimulatedGlue;
beforeAll(async () => {
  sim = await SimulatedGlue.start();
});
afterEach(() => sim.s3.simulator.setFaults([]));
afterAll(() => sim.close());

/** A table `orders` in a database of its own, at its first version. */
async function table(): Promise<{ database: string; entry: CatalogEntry; md: TableMetadata }> {
  const database = contractDatabase();
  const catalog = sim.catalog();
  const first = firstMetadata(catalog.tableLocation(database, 'orders'));
  await catalog.commit(database, 'orders', null, serializeTableMetadata(first));
  return { database, ...(await current(database)) };
}

const current = (database: string): Promise<{ entry: CatalogEntry; md: TableMetadata }> =>
  currentMetadata({ catalog: sim.catalog(), store: sim.store }, database, 'orders');

/** Names of the metadata files that are there. */
async function files(database: string): Promise<readonly string[]> {
  return sim.store.children(`${lakeUri}/${database}/orders/metadata`);
}

/** Commits a change labelled `mine`. */
async function commitMine(
  at: { database: string; entry: CatalogEntry; md: TableMetadata },
  catalog: Catalog = sim.catalog(),
): Promise<string> {
  const bytes = serializeTableMetadata(nextMetadata(at.md, at.entry, 'mine'));
  return catalog.commit(at.database, 'orders', at.entry, bytes);
}

/** Another writer's commit on whatever is current. */
async function commitTheirs(database: string, logMax = 100): Promise<void> {
  const { entry, md } = await current(database);
  const next = nextMetadata(md, entry, 'theirs');
  const bytes = serializeTableMetadata({
    ...next,
    'metadata-log': next['metadata-log'].slice(-logMax),
  });
  expect(await sim.catalog().commit(database, 'orders', entry, bytes)).toBe('committed');
}

/** A catalog with something happening around the request of its commit. */
function catalogWith(around: {
  readonly before?: (input: unknown) => Promise<void>;
  readonly after?: () => Promise<void>;
}): Catalog {
  const once: { before: boolean; after: boolean } = { before: false, after: false };
  const { clients } = sim.s3;
  const glueOnce = async (): Promise<unknown> => {
    const client = await clients.glueOnce();
    return {
      send: async (command: { readonly input: unknown }) => {
        if (!once.before) {
          once.before = true;
          await around.before?.(command.input);
        }
        try {
          return await client.send(command as never);
        } finally {
          if (!once.after) {
            once.after = true;
            await around.after?.();
          }
        }
      },
    };
  };
  return new GlueCatalog({
    clients: { glue: clients.glue, glueOnce: glueOnce as AwsClients['glueOnce'] },
    store: sim.store,
    lakeUri,
    clock: new ManualClock(0),
    ids: new RandomIds(),
  });
}

const updates = { service: 'glue', operation: 'UpdateTable' } as const;
const creates = { service: 'glue', operation: 'CreateTable' } as const;

/** How the request of a commit goes wrong, and what is true then. */
const matrix: readonly {
  readonly what: string;
  readonly plan: FaultPlanInput;
  readonly outcome: string;
  /** Whether the table is ours afterwards. */
  readonly isMine: boolean;
  /** Requests sent. */
  readonly sent: number;
}[] = [
  {
    what: 'is reset before it is applied, once',
    plan: [{ ...updates, nth: 1, do: 'refuse' }],
    outcome: 'committed',
    isMine: true,
    sent: 2,
  },
  {
    what: 'is reset before it is applied, always',
    plan: [{ ...updates, do: 'refuse' }],
    outcome: 'unknown',
    isMine: false,
    sent: 5,
  },
  {
    what: 'meets an error of the service, once',
    plan: [{ ...updates, nth: 1, do: { fault: 'error', code: 'InternalServiceException' } }],
    outcome: 'committed',
    isMine: true,
    sent: 2,
  },
  {
    what: 'meets a timeout of the service, always',
    plan: [{ ...updates, do: { fault: 'error', code: 'OperationTimeoutException' } }],
    outcome: 'unknown',
    isMine: false,
    sent: 5,
  },
  {
    what: 'is throttled, once',
    plan: [{ ...updates, nth: 1, do: { fault: 'error', code: 'ThrottlingException' } }],
    outcome: 'committed',
    isMine: true,
    sent: 2,
  },
  {
    what: 'is throttled, always',
    plan: [{ ...updates, do: { fault: 'error', code: 'ThrottlingException' } }],
    outcome: 'THROTTLED',
    isMine: false,
    sent: 5,
  },
  {
    what: 'is denied',
    plan: [{ ...updates, do: { fault: 'error', code: 'AccessDeniedException' } }],
    outcome: 'DENIED',
    isMine: false,
    sent: 1,
  },
  {
    what: 'has no answer once, and is denied then',
    plan: [
      { ...updates, nth: 1, do: 'refuse' },
      { ...updates, from: 2, do: { fault: 'error', code: 'AccessDeniedException' } },
    ],
    outcome: 'unknown',
    isMine: false,
    sent: 2,
  },
  {
    what: 'is refused as not valid',
    plan: [{ ...updates, do: { fault: 'error', code: 'ValidationException' } }],
    outcome: 'INTERNAL',
    isMine: false,
    sent: 1,
  },
  {
    what: 'is too large for Glue',
    plan: [
      {
        ...updates,
        do: {
          fault: 'error',
          code: 'ValidationException',
          message:
            "1 validation error detected: Value at 'tableInput.owner' failed to satisfy constraint: Member must have length less than or equal to 255",
        },
      },
    ],
    outcome: 'REFUSED_LIMIT',
    isMine: false,
    sent: 1,
  },
  {
    what: 'is beyond a quota of the account',
    plan: [{ ...updates, do: { fault: 'error', code: 'ResourceNumberLimitExceededException' } }],
    outcome: 'REFUSED_LIMIT',
    isMine: false,
    sent: 1,
  },
  {
    what: 'is answered as if there were no such table',
    plan: [{ ...updates, do: { fault: 'error', code: 'EntityNotFoundException' } }],
    outcome: 'SERVICE_FAILED',
    isMine: false,
    sent: 1,
  },
  {
    what: 'is applied and its answer lost',
    plan: [{ ...updates, do: 'loseAnswer' }],
    outcome: 'committed',
    isMine: true,
    sent: 1,
  },
  {
    what: 'is applied and answered with half a document',
    plan: [{ ...updates, do: { fault: 'cut', afterBytes: 1 } }],
    outcome: 'committed',
    isMine: true,
    sent: 1,
  },
  {
    what: 'is repeated on its way, and the second answer given',
    plan: [{ ...updates, do: { fault: 'duplicate', answer: 'second' } }],
    outcome: 'committed',
    isMine: true,
    sent: 1,
  },
  {
    what: 'is applied and its answer lost, and the table cannot be read',
    plan: [
      { ...updates, do: 'loseAnswer' },
      {
        service: 'glue',
        operation: 'GetTable',
        from: 2,
        do: { fault: 'error', code: 'InternalServiceException' },
      },
    ],
    outcome: 'unknown',
    isMine: true,
    sent: 1,
  },
  {
    what: 'is not applied, and the table cannot be read',
    plan: [
      { ...updates, do: 'refuse' },
      {
        service: 'glue',
        operation: 'GetTable',
        from: 2,
        do: { fault: 'error', code: 'AccessDeniedException' },
      },
    ],
    outcome: 'unknown',
    isMine: false,
    sent: 1,
  },
];

describe('a commit whose request', () => {
  it.each(matrix)('$what is $outcome', async ({ plan, outcome, isMine, sent }) => {
    const at = await table();
    sim.s3.simulator.setFaults(plan);
    sim.s3.simulator.clearRequests();
    const found = await commitMine(at).catch((error: { code?: string }) => error.code);
    sim.s3.simulator.setFaults([]);
    expect(found).toBe(outcome);
    const operations = sim.s3.operations();
    expect(operations.filter((one) => one === 'UpdateTable')).toHaveLength(sent);
    const { entry, md } = await current(at.database);
    expect(md.properties.label).toBe(isMine ? 'mine' : undefined);
    // At most once, whatever was repeated.
    expect(entry.version).toBe(isMine ? '1' : '0');
    // A file may go only when it is certain that nothing points to it, now or later.
    // What was certainly not committed is removed: outcomes that are codes.
    const mayGo = /^[A-Z_]+$/.test(outcome);
    expect(await files(at.database)).toHaveLength(mayGo ? 1 : 2);
  });

  it('is denied names the action and the table', async () => {
    const at = await table();
    sim.s3.simulator.setFaults([
      { ...updates, do: { fault: 'error', code: 'AccessDeniedException' } },
    ]);
    await expect(commitMine(at)).rejects.toMatchObject({
      code: 'DENIED',
      what: `AWS denies glue:UpdateTable on ${at.database}.orders`,
    });
  });

  it('is unknown leaves a table on which the next commit goes through', async () => {
    const at = await table();
    sim.s3.simulator.setFaults([{ ...updates, do: 'refuse' }]);
    expect(await commitMine(at)).toBe('unknown');
    sim.s3.simulator.setFaults([]);
    expect(await commitMine(at)).toBe('committed');
    expect((await current(at.database)).md.properties.label).toBe('mine');
  });

  it('is on its way still, comes too late when the same one was sent again', async () => {
    const at = await table();
    let late: UpdateTableCommandInput | null = null;
    const catalog = catalogWith({
      before: async (input) => {
        late = input as UpdateTableCommandInput;
        sim.s3.simulator.setFaults([{ ...updates, nth: 1, do: 'refuse' }]);
      },
    });
    expect(await commitMine(at, catalog)).toBe('committed');
    await expect(sim.update(at.database, 'orders', {}, late!.VersionId)).rejects.toMatchObject({
      name: 'ConcurrentModificationException',
    });
  });
});

describe('a commit whose answer is lost, with others on the table', () => {
  it('is committed when another commit came on top', async () => {
    const at = await table();
    sim.s3.simulator.setFaults([{ ...updates, nth: 1, do: 'loseAnswer' }]);
    const catalog = catalogWith({ after: () => commitTheirs(at.database) });
    expect(await commitMine(at, catalog)).toBe('committed');
    expect((await current(at.database)).md.properties.label).toBe('theirs');
    expect(await files(at.database)).toHaveLength(3);
  });

  it('is committed when many came on top and their logs were cut', async () => {
    const at = await table();
    sim.s3.simulator.setFaults([{ ...updates, nth: 1, do: 'loseAnswer' }]);
    const catalog = catalogWith({
      after: async () => {
        for (let i = 0; i < 4; i++) await commitTheirs(at.database, 1);
      },
    });
    expect(await commitMine(at, catalog)).toBe('committed');
    expect(await files(at.database)).toHaveLength(6);
  });

  it('is a conflict when the others came first, and its metadata file is removed', async () => {
    const at = await table();
    const catalog = catalogWith({ before: () => commitTheirs(at.database) });
    expect(await commitMine(at, catalog)).toBe('conflict');
    expect((await current(at.database)).md.properties.label).toBe('theirs');
    expect(await files(at.database)).toHaveLength(2);
  });

  it('is unknown when the metadata on top cannot be read, and no file is removed', async () => {
    const at = await table();
    sim.s3.simulator.setFaults([{ ...updates, nth: 1, do: 'loseAnswer' }]);
    const catalog = catalogWith({
      after: async () => {
        await commitTheirs(at.database);
        sim.s3.simulator.setFaults([
          { service: 's3', operation: 'GetObject', do: { fault: 'error', code: 'AccessDenied' } },
        ]);
      },
    });
    expect(await commitMine(at, catalog)).toBe('unknown');
    expect(await files(at.database)).toHaveLength(3);
  });

  it('is unknown when the table was dropped meanwhile', async () => {
    const at = await table();
    sim.s3.simulator.setFaults([{ ...updates, nth: 1, do: 'loseAnswer' }]);
    const drop = new DeleteTableCommand({ DatabaseName: at.database, Name: 'orders' });
    const catalog = catalogWith({ after: async () => void (await sim.glue.send(drop)) });
    expect(await commitMine(at, catalog)).toBe('unknown');
    expect(await files(at.database)).toHaveLength(2);
  });

  it('is unknown when the table has another history meanwhile', async () => {
    const at = await table();
    sim.s3.simulator.setFaults([{ ...updates, nth: 1, do: 'loseAnswer' }]);
    const catalog = catalogWith({
      after: async () => {
        const place = { DatabaseName: at.database, Name: 'orders' };
        await sim.glue.send(new DeleteTableCommand(place));
        const bytes = serializeTableMetadata(firstMetadata(`${lakeUri}/${at.database}/orders`));
        await sim.catalog().commit(at.database, 'orders', null, bytes);
      },
    });
    expect(await commitMine(at, catalog)).toBe('unknown');
  });

  it('goes through when somebody only wrote a description meanwhile, and keeps it', async () => {
    const at = await table();
    const catalog = catalogWith({
      before: () => sim.update(at.database, 'orders', { Description: 'Orders of the shop' }),
    });
    expect(await commitMine(at, catalog)).toBe('committed');
    const found = await sim.table(at.database, 'orders');
    expect(found.Description).toBe('Orders of the shop');
    expect((await current(at.database)).md.properties.label).toBe('mine');
  });
});

describe('the first commit of a table', () => {
  const commitFirst = async (catalog: Catalog, database: string): Promise<string> => {
    const bytes = serializeTableMetadata(firstMetadata(`${lakeUri}/${database}/orders`));
    return catalog.commit(database, 'orders', null, bytes);
  };

  it('makes the database, in the lake', async () => {
    const database = contractDatabase();
    expect(await commitFirst(sim.catalog(), database)).toBe('committed');
    const { Database } = await sim.glue.send(new GetDatabaseCommand({ Name: database }));
    expect(Database!.LocationUri).toBe(`${lakeUri}/${database}`);
  });

  it.each([
    ['its answer is lost', [{ ...creates, nth: 2, do: 'loseAnswer' }], 'committed'],
    [
      'it is repeated on its way',
      [{ ...creates, nth: 2, do: { fault: 'duplicate', answer: 'second' } }],
      'committed',
    ],
    ['it is reset once', [{ ...creates, nth: 2, do: 'refuse' }], 'committed'],
    ['it is always reset', [{ ...creates, from: 2, do: 'refuse' }], 'unknown'],
    [
      'it is denied',
      [{ ...creates, do: { fault: 'error', code: 'AccessDeniedException' } }],
      'DENIED',
    ],
    [
      'the database may not be made',
      [
        {
          service: 'glue',
          operation: 'CreateDatabase',
          do: { fault: 'error', code: 'AccessDeniedException' },
        },
      ],
      'DENIED',
    ],
    [
      'somebody else makes the database at the same time',
      [
        {
          service: 'glue',
          operation: 'CreateDatabase',
          do: { fault: 'duplicate', answer: 'second' },
        },
      ],
      'committed',
    ],
  ] as const)('when %s', async (_, plan, outcome) => {
    const database = contractDatabase();
    sim.s3.simulator.setFaults(plan as FaultPlanInput);
    const found = await commitFirst(sim.catalog(), database).catch((error) => error.code);
    sim.s3.simulator.setFaults([]);
    expect(found).toBe(outcome);
    const entry = await sim.catalog().current(database, 'orders');
    expect(entry !== null).toBe(outcome === 'committed');
    expect(await files(database)).toHaveLength(outcome === 'DENIED' ? 0 : 1);
  });

  it('is unknown when it conflicts with itself and the table cannot be read, and stays', async () => {
    const database = contractDatabase();
    sim.s3.simulator.setFaults([
      { ...creates, nth: 2, do: { fault: 'duplicate', answer: 'second' } },
      {
        service: 'glue',
        operation: 'GetTable',
        from: 3,
        do: { fault: 'error', code: 'AccessDeniedException' },
      },
    ]);
    expect(await commitFirst(sim.catalog(), database)).toBe('unknown');
    sim.s3.simulator.setFaults([]);
    const { entry } = await current(database);
    expect(await sim.store.size(entry.metadataUri)).toBeGreaterThan(0);
  });

  it('is a conflict when another one came first', async () => {
    const { database } = await table();
    const drop = new DeleteTableCommand({ DatabaseName: database, Name: 'orders' });
    await sim.glue.send(drop);
    const catalog = catalogWith({
      before: async () => expect(await commitFirst(sim.catalog(), database)).toBe('committed'),
    });
    const before = (await files(database)).length;
    expect(await commitFirst(catalog, database)).toBe('conflict');
    expect(await files(database)).toHaveLength(before + 1);
  });
});

describe('the requests of a commit', () => {
  it('always say the version, and archive nothing', async () => {
    const at = await table();
    const inputs: UpdateTableCommandInput[] = [];
    const catalog = catalogWith({
      before: async (input) => void inputs.push(input as UpdateTableCommandInput),
    });
    await commitMine(at, catalog);
    expect(inputs[0]).toMatchObject({ VersionId: '0', SkipArchive: true });
    const versions = await sim.glue.send(
      new GetTableVersionsCommand({ DatabaseName: at.database, TableName: 'orders' }),
    );
    expect(versions.TableVersions!.map((one) => one.VersionId)).toEqual(['1']);
  });

  it('number the metadata files, as Iceberg does', async () => {
    const at = await table();
    await commitMine(at);
    const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}';
    const names = await files(at.database);
    expect(names[0]).toMatch(new RegExp(`^00000-${uuid}\\.metadata\\.json$`));
    expect(names[1]).toMatch(new RegExp(`^00001-${uuid}\\.metadata\\.json$`));
  });
});

describe('what is not a table of the lake', () => {
  const place = (): string => contractDatabase();

  async function put(database: string, input: Record<string, unknown>): Promise<void> {
    await sim.glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name: database } }));
    const table = { Name: 'orders', ...input };
    await sim.glue.send(new CreateTableCommand({ DatabaseName: database, TableInput: table }));
  }

  it.each([
    ['a view', { TableType: 'VIRTUAL_VIEW' }, 'REFUSED_FOREIGN_WRITER'],
    [
      'a table of Parquet files',
      { TableType: 'EXTERNAL_TABLE', Parameters: { classification: 'parquet' } },
      'REFUSED_FOREIGN_WRITER',
    ],
    [
      'an Iceberg table elsewhere',
      {
        Parameters: {
          table_type: 'ICEBERG',
          metadata_location: 's3://lake/other/orders/metadata/0.metadata.json',
        },
      },
      'REFUSED_FOREIGN_PATH',
    ],
  ] as const)('is refused and not listed: %s', async (_, input, code) => {
    const database = place();
    await put(database, input);
    const catalog = sim.catalog();
    expect(await catalog.tables(database)).toEqual([]);
    expect(await catalog.databases()).not.toContain(database);
    await expect(catalog.current(database, 'orders')).rejects.toMatchObject({ code });
    const first = firstMetadata(catalog.tableLocation(database, 'orders'));
    await expect(
      catalog.commit(database, 'orders', null, serializeTableMetadata(first)),
    ).rejects.toMatchObject({ code });
    expect(await files(database)).toEqual([]);
  });

  it('is not a table whose pointer another program wrote in its own way', async () => {
    const at = await table();
    const { Parameters } = await sim.table(at.database, 'orders');
    await sim.update(at.database, 'orders', {
      StorageDescriptor: {},
      Parameters: {
        table_type: 'iceberg',
        metadata_location: Parameters!.metadata_location!.replace('s3://', 's3a://'),
      },
    });
    expect(await sim.catalog().tables(at.database)).toEqual(['orders']);
    const again = await current(at.database);
    expect(await commitMine({ database: at.database, ...again })).toBe('committed');
  });
});

describe('more tables than a page has', () => {
  it('are all listed', async () => {
    const database = contractDatabase();
    await sim.glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name: database } }));
    const names = Array.from({ length: 101 }, (_, i) => `t${String(i).padStart(3, '0')}`);
    for (const Name of names) {
      const metadata_location = `${lakeUri}/${database}/${Name}/metadata/0.metadata.json`;
      const Parameters = { table_type: 'ICEBERG', metadata_location };
      await sim.glue.send(
        new CreateTableCommand({ DatabaseName: database, TableInput: { Name, Parameters } }),
      );
    }
    expect(await sim.catalog().tables(database)).toEqual(names);
  });
});
