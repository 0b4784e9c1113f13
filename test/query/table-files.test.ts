// From committed metadata to SQL: which schema, which files, and when footers are read.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { liveFiles } from '../../pipeline/lake/iceberg/live-files.js';
import { currentSnapshot } from '../../pipeline/lake/iceberg/metadata.js';
import { query } from '../../pipeline/query/query.js';
import { schemaOf, viewFiles } from '../../pipeline/query/table-files.js';
import type { IcebergField, TableMetadata } from '../../schemas/iceberg.js';
import { mystoreSchema, order, SmallLake } from '../inspect/small-lake.js';

let lake: SmallLake;
beforeEach(async () => {
  lake = await SmallLake.open();
  await lake.create();
  await lake.commit({ toMs: Date.UTC(2026, 10, 20, 9), data: [{ sql: order('a', '1') }] });
});
afterEach(() => lake.close());

async function answer(sql: string, asOf?: string): Promise<unknown> {
  const result = await query(lake.world, {
    lake: lake.uri,
    database: 'lake',
    sql,
    ...(asOf === undefined ? {} : { asOf }),
  });
  const rows: unknown[] = [];
  for await (const row of result.rows) rows.push(row);
  return JSON.parse(JSON.stringify(rows));
}
/** Gives the table a changed schema without a snapshot, as ALTER TABLE does. */
async function alter(change: (field: IcebergField) => IcebergField): Promise<TableMetadata> {
  const md = await lake.metadata();
  const schema = { ...mystoreSchema, 'schema-id': 1, fields: mystoreSchema.fields.map(change) };
  await lake.publish({ ...md, schemas: [...md.schemas, schema], 'current-schema-id': 1 });
  return lake.metadata();
}
async function group(): Promise<string> {
  const md = await lake.metadata();
  const live = await liveFiles(lake.world.store, md, currentSnapshot(md));
  const table = { md, location: md.location };
  return (await viewFiles(lake.world, table, schemaOf(md, currentSnapshot(md)), live))[0]!.group;
}

describe('a table altered since its last snapshot', () => {
  it('is read by its new names now and by its old ones as of a snapshot that is no longer current', async () => {
    await alter((field) => (field.id === 6 ? { ...field, name: 'state' } : field));
    expect(await answer('SELECT state FROM mystore')).toEqual([['PENDING']]);
    expect(await group()).toBe('');
    const first = (await lake.metadata()).snapshots[0]!['snapshot-id'];
    await lake.commit({ fromMs: Date.UTC(2026, 10, 20, 9), toMs: Date.UTC(2026, 10, 20, 10) });
    expect(await answer('SELECT status FROM mystore', `snapshot:${first}`)).toEqual([['PENDING']]);
    expect(await answer('SELECT state FROM mystore')).toEqual([['PENDING']]);
  });

  it('finds a renamed nested field by its id, reading footers for that', async () => {
    await alter((field) =>
      field.id === 8
        ? {
            ...field,
            type: {
              type: 'struct',
              fields: [
                { id: 10, name: 'town', required: false, type: 'string' },
                { id: 9, name: 'city', required: false, type: 'string' },
              ],
            },
          }
        : field,
    );
    expect(await group()).not.toBe('');
    expect(await answer('SELECT address, lines FROM mystore')).toEqual([
      [{ town: 'Oslo', city: 'Main 1' }, [{ sku: 'A', price: '1.25', qty: 2 }]],
    ]);
  });
});
