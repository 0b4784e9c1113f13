// Files that other programs put into a table: position deletes, and data files of their own after a compaction.
// Promises: readers honour them; a merge goes on after row-preserving work only, and rewrites what it touches.
// Source: apache/iceberg format/spec.md, "Position Delete Files", "Scan Planning"; DESIGN.md, "The table".

import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { query, verify } from '../../pipeline/index.js';
import { FilesCatalog } from '../../pipeline/lake/files-catalog.js';
import { liveFiles } from '../../pipeline/lake/iceberg/live-files.js';
import { currentSnapshot, serializeTableMetadata } from '../../pipeline/lake/iceberg/metadata.js';
import { type AddedFile, buildSnapshot } from '../../pipeline/lake/iceberg/snapshot-builder.js';
import { canonicalItem } from '../../pipeline/simulator/index.js';
import type { DataFile, IcebergType, ManifestEntry } from '../../schemas/iceberg.js';
import { DiskStory, database, expectedItems } from './story-world.js';
import { hour, Tale } from './tale.js';

let lake: DiskStory;
let tale: Tale;
let made = 0;

beforeEach(async () => {
  lake = DiskStory.open('foreign');
  tale = new Tale(lake);
  made = 0;
  for (let n = 10; n < 30; n++)
    tale.put(-1, { pk: { S: `k${n}` }, n: { N: `${n}` }, t: { SS: ['a'] } });
  tale.put(-1, { pk: { S: 'k30' }, n: { S: 'odd' }, nil: { NULL: true } });
  tale.put(0, { pk: { S: 'k15' }, n: { N: '1500' } });
  tale.put(0, { pk: { S: 'k99' }, n: { N: '9900' } });
  tale.delete(0, { pk: { S: 'k20' } });
  tale.put(1, { pk: { S: 'k12' }, n: { N: '0.5' } });
  await tale.load();
});
afterEach(() => lake.close());

const path = (uri: string): string => uri.slice('file://'.length);

async function live(): Promise<readonly ManifestEntry[]> {
  const { md, location } = await lake.open();
  return (await liveFiles(lake.world.store, md, currentSnapshot(md), location)).data;
}

async function execute(sql: string): Promise<void> {
  const engine = await lake.world.engine({ threads: 1, memoryMb: 128 });
  try {
    await engine.execute(sql);
  } finally {
    await engine.close();
  }
}

/** DuckDB writes a Parquet file into the table's folder; without statistics in its entry, as the format allows. */
async function foreignFile(
  select: string,
  ids: string,
  facts: Partial<DataFile>,
  rows: number,
): Promise<AddedFile> {
  const { location } = await lake.open();
  const uri = `${location}/data/foreign-${++made}.parquet`;
  mkdirSync(dirname(path(uri)), { recursive: true });
  await execute(`COPY (${select}) TO '${path(uri)}' (FORMAT parquet, FIELD_IDS {${ids}})`);
  return {
    content: 0,
    path: uri,
    format: 'PARQUET',
    partition: [],
    recordCount: BigInt(rows),
    fileSizeBytes: BigInt(statSync(path(uri)).size),
    columnSizes: new Map(),
    valueCounts: new Map(),
    nullValueCounts: new Map(),
    lowerBounds: new Map(),
    upperBounds: new Map(),
    splitOffsets: null,
    equalityIds: null,
    sortOrderId: null,
    referencedDataFile: null,
    ...facts,
  };
}

/** A position delete file; `targets` maps data files to positions. */
function deletesOf(
  targets: ReadonlyMap<string, readonly number[]>,
  scoped: boolean,
): Promise<AddedFile> {
  const rows = [...targets].flatMap(([file, positions]) =>
    positions.map((pos) => `('${file}', ${pos}::BIGINT)`),
  );
  return foreignFile(
    `SELECT * FROM (VALUES ${rows.join(', ')}) v(file_path, pos) ORDER BY 1, 2`,
    'file_path: 2147483546, pos: 2147483545',
    { content: 1, referencedDataFile: scoped ? [...targets.keys()][0]! : null },
    rows.length,
  );
}

async function commit(
  operation: 'delete' | 'replace',
  change: { readonly added: readonly AddedFile[]; readonly removed?: readonly string[] },
): Promise<void> {
  const { store } = lake.world;
  const open = await lake.open();
  const md = await buildSnapshot({
    store,
    md: open.md,
    location: open.md.location,
    ids: lake.world.ids,
    snapshotTimestampMs: hour(900),
    nowMs: hour(900),
    removed: new Set(change.removed ?? []),
    added: change.added,
    properties: {},
    summary: {},
    operation,
    metadataUri: open.entry.metadataUri,
  });
  const catalog = new FilesCatalog(store, lake.lake);
  expect(await catalog.commit(database, 'tale', open.entry, serializeTableMetadata(md))).toBe(
    'committed',
  );
}

async function keysBySql(): Promise<readonly unknown[]> {
  const result = await query(lake.world, {
    ...lake.target,
    sql: 'SELECT pk FROM tale ORDER BY pk',
  });
  const keys: unknown[] = [];
  for await (const [key] of result.rows) keys.push(key);
  return keys;
}

async function failedChecks(): Promise<readonly string[]> {
  const [report] = await verify(lake.world, lake.target);
  return report!.checks.filter(({ ok }) => !ok).map(({ name }) => name);
}

const keyOf = (text: string): string => /"pk":\{"S":"([^"]*)"/.exec(text)![1]!;

describe.each([true, false])(
  'position deletes of another writer (for one data file: %s)',
  (scoped) => {
    it('are honoured by unload, query and verify, and stop merges', async () => {
      const [file] = await live();
      // Rows lie in the order of keys: 0 is k10, 5 is k15, 20 is k30.
      await commit('delete', {
        added: [await deletesOf(new Map([[file!.file.path, [0, 5, 20]]]), scoped)],
      });
      const left = expectedItems(tale.table, hour(0)).filter(
        (item) => !['k10', 'k15', 'k30'].includes(keyOf(item)),
      );
      expect(left).toHaveLength(18);
      expect(await lake.items()).toEqual(left);
      expect(await keysBySql()).toEqual(left.map(keyOf).sort());
      // Nothing is wrong with the files; only the watermark speaks of rows that are no longer there.
      expect(await failedChecks()).toEqual([
        'the metadata is consistent',
        'the windows form one chain',
      ]);
      const [report] = await lake
        .merge(await tale.window(0))
        .catch((error: { code: string }) => [{ action: 'refused', error }]);
      expect(report!.error).toMatchObject({ code: 'REFUSED_FOREIGN_WRITER' });
      // The state before is still there to travel to.
      const start = new Date(hour(0)).toISOString();
      expect(await lake.items(start)).toEqual(expectedItems(tale.table, hour(0)));
    });

    it('stay deleted when a merge rewrites their file, and when a column is retyped', async () => {
      // Another writer's deletes that came as row-preserving work: some other file brings the same rows back.
      const [file] = await live();
      const ids = await fieldIds();
      const back = await foreignFile(
        `SELECT * FROM read_parquet('${path(file!.file.path)}') WHERE pk IN ('k10', 'k15', 'k30')`,
        ids,
        {},
        3,
      );
      const deletes = await deletesOf(new Map([[file!.file.path, [0, 5, 20]]]), scoped);
      await commit('replace', { added: [back, deletes] });
      expect(await lake.items()).toEqual(expectedItems(tale.table, hour(0)));
      expect(await failedChecks()).toEqual([]);
      expect(await tale.merge(0)).toMatchObject({
        action: 'applied',
        inserted: 1,
        updated: 1,
        deleted: 1,
      });
      expect(await lake.items()).toEqual(expectedItems(tale.table, hour(1)));
      expect(await tale.merge(1)).toMatchObject({ action: 'applied', retypedColumns: ['n'] });
      expect(await lake.items()).toEqual(expectedItems(tale.table, hour(2)));
      expect(await keysBySql()).toEqual(expectedItems(tale.table, hour(2)).map(keyOf).sort());
      expect(await failedChecks()).toEqual([]);
    });
  },
);

/** DuckDB's FIELD_IDS of the table's columns as they are. */
async function fieldIds(): Promise<string> {
  const { md } = await lake.open();
  const schema = md.schemas.find((one) => one['schema-id'] === md['current-schema-id'])!;
  const of = (id: number, type: IcebergType): string => {
    if (typeof type === 'string') return String(id);
    const self = `__duckdb_field_id: ${id}`;
    if (type.type === 'list') return `{${self}, element: ${of(type['element-id'], type.element)}}`;
    if (type.type === 'map') {
      return `{${self}, key: ${of(type['key-id'], type.key)}, value: ${of(type['value-id'], type.value)}}`;
    }
    return `{${self}, ${type.fields.map((one) => `${one.name}: ${of(one.id, one.type)}`).join(', ')}}`;
  };
  return schema.fields.map((one) => `${one.name}: ${of(one.id, one.type)}`).join(', ');
}

it('goes on after a compaction by another program, into files without our index and order', async () => {
  const [file] = await live();
  const ids = await fieldIds();
  const source = `SELECT * FROM read_parquet('${path(file!.file.path)}')`;
  await commit('replace', {
    added: [
      await foreignFile(`${source} WHERE n % 2 = 0 ORDER BY pk DESC`, ids, {}, 10),
      await foreignFile(`${source} WHERE n % 2 = 1 OR n IS NULL ORDER BY n % 7, pk`, ids, {}, 11),
    ],
    removed: [file!.file.path],
  });
  expect(await lake.items()).toEqual(expectedItems(tale.table, hour(0)));
  expect(await failedChecks()).toEqual([]);
  expect(await tale.merge(0)).toMatchObject({
    action: 'applied',
    inserted: 1,
    updated: 1,
    deleted: 1,
  });
  expect(await lake.items()).toEqual(expectedItems(tale.table, hour(1)));
  expect((await tale.merge(1)).action).toBe('applied');
  expect(await lake.items()).toEqual(expectedItems(tale.table, hour(2)));
  expect(await failedChecks()).toEqual([]);
  expect(canonicalItem([...tale.table.itemsAt(hour(2) * 1000)][0]!)).toContain('k10');
});
