// What every Catalog must do, wherever it keeps its pointers: run on files in memory, on disk and in S3, and on Glue.
// Promises: touches nothing but databases whose names begin with `tidelake_contract_`.
// Source: ports.ts, Catalog.
import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  newTableMetadata,
  parseTableMetadata,
  serializeTableMetadata,
} from '../../pipeline/lake/iceberg/metadata.js';
import type { Catalog, CatalogEntry, ObjectStore } from '../../pipeline/ports.js';
import { ObjectNotFoundError } from '../../pipeline/ports.js';
import type { TableMetadata } from '../../schemas/iceberg.js';

export interface CatalogUnderTest {
  readonly catalog: Catalog;
  readonly store: ObjectStore;
  /** Root of the lake, without trailing slash. */
  readonly root: string;
}

/** A database's name that nobody else uses. */
export function contractDatabase(): string {
  return `tidelake_contract_${randomBytes(6).toString('hex')}`;
}

/** Metadata of a new table of one column. */
export function firstMetadata(location: string): TableMetadata {
  return newTableMetadata({
    uuid: randomUUID(),
    location,
    schema: {
      type: 'struct',
      'schema-id': 0,
      fields: [{ id: 1, name: 'client', required: false, type: 'string', doc: 'who' }],
    },
    nowMs: Date.UTC(2026, 0, 1),
  });
}

/** Metadata after a change, as writers make it: the file before is in its log. */
export function nextMetadata(md: TableMetadata, entry: CatalogEntry, label: string): TableMetadata {
  return {
    ...md,
    'last-updated-ms': md['last-updated-ms'] + 1,
    properties: { ...md.properties, label },
    'metadata-log': [
      ...md['metadata-log'],
      { 'timestamp-ms': md['last-updated-ms'], 'metadata-file': entry.metadataUri },
    ],
  };
}

/** The table's metadata as the catalog has it now. */
export async function currentMetadata(
  { catalog, store }: Pick<CatalogUnderTest, 'catalog' | 'store'>,
  database: string,
  table: string,
): Promise<{ readonly entry: CatalogEntry; readonly md: TableMetadata }> {
  const entry = (await catalog.current(database, table))!;
  return { entry, md: parseTableMetadata(await store.read(entry.metadataUri)) };
}

/** Runs the contract on catalogs made by `make`. `isLocked: false` leaves out, by name, what needs a catalog that
 *  compares versions when two writers come at the same moment. */
export function catalogContract(
  name: string,
  make: () => Promise<CatalogUnderTest>,
  options: { readonly isLocked?: boolean } = {},
): void {
  const racing = options.isLocked === false ? it.skip : it;

  const made = async (): Promise<CatalogUnderTest & { database: string; entry: CatalogEntry }> => {
    const under = await make();
    const database = contractDatabase();
    const location = under.catalog.tableLocation(database, 'orders');
    const bytes = serializeTableMetadata(firstMetadata(location));
    expect(await under.catalog.commit(database, 'orders', null, bytes)).toBe('committed');
    return { ...under, database, entry: (await under.catalog.current(database, 'orders'))! };
  };

  describe(`catalog contract: ${name}`, () => {
    it('knows nothing of a table that was never made', async () => {
      const { catalog } = await make();
      const database = contractDatabase();
      expect(await catalog.current(database, 'orders')).toBeNull();
      expect(await catalog.tables(database)).toEqual([]);
      expect(await catalog.databases()).not.toContain(database);
    });

    it('places a table in its own folder below the lake', async () => {
      const { catalog, root } = await make();
      expect(catalog.tableLocation('sales', 'orders')).toBe(`${root}/sales/orders`);
    });

    it('refuses names that are no folder or no name in SQL, and does nothing', async () => {
      const { catalog } = await make();
      for (const bad of ['', 'Orders', 'a/b', '..', 'a-b', 'x'.repeat(256), 'ä']) {
        await expect((async () => catalog.tableLocation('sales', bad))()).rejects.toMatchObject({
          code: 'USAGE',
        });
        await expect(catalog.tables(bad)).rejects.toMatchObject({ code: 'USAGE' });
        await expect(catalog.current(bad, 'orders')).rejects.toMatchObject({ code: 'USAGE' });
      }
    });

    it('makes a table with its first commit, and gives back the metadata byte for byte', async () => {
      const { catalog, store } = await make();
      const database = contractDatabase();
      const location = catalog.tableLocation(database, 'orders');
      const bytes = serializeTableMetadata(firstMetadata(location));
      expect(await catalog.commit(database, 'orders', null, bytes)).toBe('committed');
      const entry = await catalog.current(database, 'orders');
      expect(entry!.metadataUri.startsWith(`${location}/metadata/`)).toBe(true);
      expect(Buffer.compare(await store.read(entry!.metadataUri), bytes)).toBe(0);
      expect(await catalog.tables(database)).toEqual(['orders']);
      expect(await catalog.databases()).toContain(database);
    });

    it('lists the tables of a database, sorted', async () => {
      const { catalog, database } = await made();
      for (const table of ['b', 'a_2']) {
        const location = catalog.tableLocation(database, table);
        const bytes = serializeTableMetadata(firstMetadata(location));
        expect(await catalog.commit(database, table, null, bytes)).toBe('committed');
      }
      expect(await catalog.tables(database)).toEqual(['a_2', 'b', 'orders']);
    });

    it('moves on by a commit on the current entry, and keeps the file before', async () => {
      const under = await made();
      const { catalog, store, database } = under;
      const before = await currentMetadata(under, database, 'orders');
      const next = serializeTableMetadata(nextMetadata(before.md, before.entry, 'second'));
      expect(await catalog.commit(database, 'orders', before.entry, next)).toBe('committed');
      const after = await currentMetadata(under, database, 'orders');
      expect(after.md.properties.label).toBe('second');
      expect(after.entry.metadataUri).not.toBe(before.entry.metadataUri);
      expect(parseTableMetadata(await store.read(before.entry.metadataUri))).toEqual(before.md);
    });

    it('does not make a table a second time', async () => {
      const under = await made();
      const { catalog, database, entry } = under;
      const other = serializeTableMetadata(
        firstMetadata(catalog.tableLocation(database, 'orders')),
      );
      expect(await catalog.commit(database, 'orders', null, other)).toBe('conflict');
      expect(await catalog.current(database, 'orders')).toEqual(entry);
    });

    it('does not commit on a base that is not the current one', async () => {
      const under = await made();
      const { catalog, database } = under;
      const { entry, md } = await currentMetadata(under, database, 'orders');
      const [a, b] = ['a', 'b'].map((label) =>
        serializeTableMetadata(nextMetadata(md, entry, label)),
      );
      expect(await catalog.commit(database, 'orders', entry, a!)).toBe('committed');
      expect(await catalog.commit(database, 'orders', entry, b!)).toBe('conflict');
      expect((await currentMetadata(under, database, 'orders')).md.properties.label).toBe('a');
    });

    it('does not commit on a table that is not there', async () => {
      const { catalog, database, entry } = await made();
      const bytes = serializeTableMetadata(firstMetadata(catalog.tableLocation(database, 'gone')));
      expect(await catalog.commit(database, 'gone', entry, bytes)).toBe('conflict');
      expect(await catalog.current(database, 'gone')).toBeNull();
    });

    racing('lets exactly one of several commits on one base win', async () => {
      const under = await made();
      const { catalog, database } = under;
      const { entry, md } = await currentMetadata(under, database, 'orders');
      const outcomes = await Promise.all(
        ['a', 'b', 'c', 'd'].map((label) =>
          catalog.commit(
            database,
            'orders',
            entry,
            serializeTableMetadata(nextMetadata(md, entry, label)),
          ),
        ),
      );
      expect(outcomes.filter((one) => one === 'committed')).toHaveLength(1);
      expect(outcomes.filter((one) => one === 'conflict')).toHaveLength(3);
      const winner = 'abcd'[outcomes.indexOf('committed')];
      const after = await currentMetadata(under, database, 'orders');
      expect(after.md.properties.label).toBe(winner);
    });

    racing('lets exactly one of several first commits win', async () => {
      const { catalog } = await make();
      const database = contractDatabase();
      const location = catalog.tableLocation(database, 'orders');
      const outcomes = await Promise.all(
        [1, 2, 3].map(() =>
          catalog.commit(database, 'orders', null, serializeTableMetadata(firstMetadata(location))),
        ),
      );
      expect(outcomes.filter((one) => one === 'committed')).toHaveLength(1);
      expect(outcomes.filter((one) => one === 'conflict')).toHaveLength(2);
    });

    racing('loses no commit of writers who look again after a conflict', async () => {
      const under = await made();
      const { catalog, database } = under;
      const writers = ['a', 'b', 'c', 'd', 'e'];
      await Promise.all(
        writers.map(async (label) => {
          for (let tries = 0; tries < writers.length; tries++) {
            const { entry, md } = await currentMetadata(under, database, 'orders');
            const seen = `${md.properties.seen ?? ''}${label}`;
            const next = nextMetadata({ ...md, properties: { seen } }, entry, label);
            const bytes = serializeTableMetadata(next);
            if ((await catalog.commit(database, 'orders', entry, bytes)) === 'committed') return;
          }
          throw new Error(`${label} never won`);
        }),
      );
      const { md } = await currentMetadata(under, database, 'orders');
      expect([...md.properties.seen!].sort()).toEqual(writers);
      expect(md['metadata-log']).toHaveLength(writers.length);
    });

    it('never points to a file that is not there', async () => {
      const under = await made();
      const { catalog, store, database } = under;
      const read = async (): Promise<string> => {
        const uri = (await catalog.current(database, 'orders'))!.metadataUri;
        return store.read(uri).then(
          () => 'there',
          (error: unknown) => (error instanceof ObjectNotFoundError ? `gone: ${uri}` : 'failed'),
        );
      };
      const writing = (async () => {
        for (const label of ['a', 'b', 'c']) {
          const { entry, md } = await currentMetadata(under, database, 'orders');
          const bytes = serializeTableMetadata(nextMetadata(md, entry, label));
          await catalog.commit(database, 'orders', entry, bytes);
        }
      })();
      const seen = await Promise.all([read(), read(), read(), read()]);
      await writing;
      expect([...seen, await read()]).toEqual(Array.from({ length: 5 }, () => 'there'));
    });
  });
}
