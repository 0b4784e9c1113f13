// A lake table as programs of others read it: DuckDB on the data files, icebird on the table, hyparquet, parquetjs-lite.
// Promises: every value of every row equals the simulator's, as told by readers that share no code with the writer.
// Source: apache/iceberg format/spec.md; apache/parquet-format; the readers' own documentation.

import { createRequire } from 'node:module';
import { DuckDBInstance } from '@duckdb/node-api';
import { tableFromIPC, tableToIPC } from 'apache-arrow';
import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { icebergManifests, icebergMetadata, icebergRead } from 'icebird';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { liveFiles } from '../../pipeline/lake/iceberg/live-files.js';
import { currentSnapshot } from '../../pipeline/lake/iceberg/metadata.js';
import { ParquetAssembler } from '../../pipeline/lake/parquet/assembler.js';
import { decodeRowGroups } from '../../pipeline/lake/parquet/decode-row-group.js';
import { readFooter } from '../../pipeline/lake/parquet/footer.js';
import {
  canonicalNumber,
  type Item,
  Random,
  type Story,
  simulate,
} from '../../pipeline/simulator/index.js';
import type { AttributeValue } from '../../schemas/attribute.js';
import type { ColumnType, Field } from '../../schemas/columns.js';
import type { ManifestEntry } from '../../schemas/iceberg.js';
import { readColumns } from '../../transforms/column-map.js';
import { encodeRowGroup } from '../parquet/arrow-rs.js';
import { DiskStory } from '../scenarios/story-world.js';

const tableUrl = 'https://bucket.s3.amazonaws.com/lake/lake/mystore';
let lake: DiskStory;
let story: Story;
let columns: readonly Field[];
let files: readonly ManifestEntry[];
let endMs: number;

beforeAll(async () => {
  lake = DiskStory.open('interop');
  story = await simulate({
    store: lake.world.store,
    outUri: lake.exportsUri,
    dataset: 'mystore',
    items: 400,
    windows: 2,
    seed: 'interop',
    view: 'NEW_AND_OLD_IMAGES',
    files: 2,
    changesPerWindow: 80,
  });
  await lake.load(story.full, { key: ['clientid', 'created'], buckets: 3 });
  for (const window of story.windows) await lake.merge(window.folderUri);
  endMs = story.windows.at(-1)!.toMs;
  const { md, location } = await lake.open();
  columns = readColumns(md, md['current-schema-id']).columns;
  files = (await liveFiles(lake.world.store, md, currentSnapshot(md), location)).data;
  // icebird reads over HTTP only: the lake's folder stands in for a bucket.
  vi.stubGlobal('fetch', async (url: string, init?: RequestInit) => {
    const uri = String(url).replace('https://bucket.s3.amazonaws.com/lake', lake.lake);
    if ((await lake.world.store.size(uri)) === null) return new Response(null, { status: 404 });
    const bytes = await lake.world.store.read(uri);
    const range = /bytes=(\d+)-(\d*)/.exec(new Headers(init?.headers).get('range') ?? '');
    if (range === null) return new Response(Buffer.from(bytes));
    const end = range[2] === '' ? bytes.length : Number(range[2]) + 1;
    return new Response(Buffer.from(bytes.slice(Number(range[1]), end)), { status: 206 });
  });
});
afterAll(() => {
  vi.unstubAllGlobals();
  lake.close();
});

/** An attribute value as any reader may show it: numbers as canonical text, binary as hex, sets sorted. */
function plain(value: AttributeValue | undefined, type: ColumnType): unknown {
  if (value === undefined || 'NULL' in value) return null;
  if ('S' in value) return value.S;
  if ('N' in value) return canonicalNumber(value.N);
  if ('BOOL' in value) return value.BOOL;
  if ('B' in value) return Buffer.from(value.B, 'base64').toString('hex');
  if ('SS' in value) return [...value.SS].sort();
  if ('NS' in value) return value.NS.map(canonicalNumber).sort();
  if ('L' in value && type.kind === 'L') return value.L.map((one) => plain(one, type.element));
  if ('M' in value && type.kind === 'M') {
    return Object.fromEntries(
      type.fields.map((field) => [field.name, plain(value.M.get(field.attribute), field.type)]),
    );
  }
  throw new Error('the data set has no such value');
}

/** What a reader gave, in the same form. `type` says which texts are numbers. */
function shown(value: unknown, type: ColumnType): unknown {
  if (value === null || value === undefined) return null;
  if (type.kind === 'N') {
    // Readers that make doubles of decimals are off by less than half of the last of our two decimals.
    return canonicalNumber(typeof value === 'number' ? value.toFixed(2) : String(value));
  }
  if (type.kind === 'B')
    return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
  if (type.kind === 'SS') return [...(value as string[])].sort();
  if (type.kind === 'NS') {
    const number: ColumnType = { kind: 'N', number: type.number };
    return (value as unknown[]).map((one) => shown(one, number)).sort();
  }
  if (type.kind === 'L') return (value as unknown[]).map((one) => shown(one, type.element));
  if (type.kind === 'M') {
    const object = value as Record<string, unknown>;
    return Object.fromEntries(type.fields.map((f) => [f.name, shown(object[f.name], f.type)]));
  }
  return value;
}

/** All rows as texts, sorted; `fields` says which columns. */
function expectedRows(fields: readonly Field[] = columns): readonly string[] {
  const items: readonly Item[] = [...story.table.itemsAt(endMs * 1000)];
  return items
    .map((item) => JSON.stringify(fields.map((one) => plain(item.get(one.attribute), one.type))))
    .sort();
}

function foundRows(
  rows: readonly Record<string, unknown>[],
  fields: readonly Field[] = columns,
): readonly string[] {
  return rows
    .map((row) => JSON.stringify(fields.map(({ name, type }) => shown(row[name], type))))
    .sort();
}

async function duckdb(sql: string): Promise<readonly Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    threads: '1',
  });
  const connection = await instance.connect();
  try {
    const reader = await connection.runAndReadAll(sql);
    return reader.getRowObjectsJson() as Record<string, unknown>[];
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

const pathsSql = (): string =>
  `[${files.map(({ file }) => `'${file.path.slice('file://'.length)}'`).join(', ')}]`;

describe('DuckDB', () => {
  it('reads every value from the data files', async () => {
    const binary = columns.filter(({ type }) => type.kind === 'B').map(({ name }) => name);
    const replace = binary.map((name) => `lower(hex(${name})) AS ${name}`).join(', ');
    const rows = await duckdb(
      `SELECT *${replace === '' ? '' : ` REPLACE (${replace})`} FROM read_parquet(${pathsSql()}, union_by_name = true)`,
    );
    expect(foundRows(rows)).toEqual(expectedRows());
  });

  it('reads the time of each last write to the microsecond, and none for rows of the full export', async () => {
    const rows = await duckdb(
      `SELECT clientid, created, epoch_us(_written_at)::VARCHAR AS at FROM read_parquet(${pathsSql()}, union_by_name = true)`,
    );
    const written = new Map<string, string>();
    for (const { fromMs, toMs } of story.windows) {
      for (const change of story.table.changesIn(fromMs * 1000, toMs * 1000, new Random(1))) {
        const { clientid, created } = JSON.parse(change.keys) as Record<string, { S: string }>;
        written.set(`${clientid!.S} ${created!.S}`, String(change.micros));
      }
    }
    expect(rows.some(({ at }) => at !== null)).toBe(true);
    for (const { clientid, created, at } of rows) {
      expect(at).toBe(written.get(`${clientid} ${created}`) ?? null);
    }
  });

  it('finds the rows of each file sorted by key', async () => {
    const [row] = await duckdb(
      `SELECT count(*) AS bad FROM (SELECT (clientid, created) < lag((clientid, created)) OVER (PARTITION BY filename ORDER BY file_row_number) AS wrong FROM read_parquet(${pathsSql()}, union_by_name = true, filename = true, file_row_number = true)) WHERE wrong`,
    );
    expect(String(row!.bad)).toBe('0');
  });
});

describe('icebird', () => {
  it('understands metadata and manifests', async () => {
    const { md } = await lake.open();
    const metadata = await icebergMetadata({ tableUrl });
    expect(BigInt(metadata['current-snapshot-id']!)).toBe(md['current-snapshot-id']);
    expect(metadata.snapshots).toHaveLength(3);
    const schema = metadata.schemas.find(
      (one) => one['schema-id'] === metadata['current-schema-id'],
    )!;
    for (const { id, name } of columns) {
      expect(schema.fields.find((field) => field.id === id)?.name).toBe(name);
    }
    const manifests = await icebergManifests(metadata);
    const live = manifests.flatMap(({ entries }) => entries).filter(({ status }) => status !== 2);
    expect(live.map((entry) => entry.data_file.file_path).sort()).toEqual(
      files.map(({ file }) => file.path).sort(),
    );
    const records = live.reduce((sum, entry) => sum + Number(entry.data_file.record_count), 0);
    expect(records).toBe(story.table.countAt(endMs * 1000));
  });

  it('reads every row, and every value but binary ones', async () => {
    const rows = await icebergRead({ tableUrl });
    // It takes binary for text, so of those columns only who has a value.
    const others = columns.filter(({ type }) => type.kind !== 'B');
    expect(others.length).toBeGreaterThan(15);
    expect(foundRows(rows, others)).toEqual(expectedRows(others));
    for (const { name, attribute } of columns.filter((one) => !others.includes(one))) {
      const count = rows.filter((row) => row[name] !== null && row[name] !== undefined).length;
      const items = [...story.table.itemsAt(endMs * 1000)];
      expect(count).toBe(items.filter((item) => item.has(attribute)).length);
    }
  });
});

it('icebird reads every row where changed rows were marked as deleted', async () => {
  const marked = DiskStory.open('interop-marked');
  const { lake: unmarked } = { lake };
  try {
    const twin = await simulate({
      store: marked.world.store,
      outUri: marked.exportsUri,
      dataset: 'mystore',
      items: 400,
      windows: 2,
      seed: 'interop',
      view: 'NEW_AND_OLD_IMAGES',
      files: 2,
      changesPerWindow: 80,
    });
    marked.way = 'mark';
    await marked.load(twin.full, { key: ['clientid', 'created'], buckets: 3 });
    for (const window of twin.windows) await marked.merge(window.folderUri);
    const { md, location } = await marked.open();
    const live = await liveFiles(marked.world.store, md, currentSnapshot(md), location);
    expect(live.positionDeletes.length).toBeGreaterThan(0);
    lake = marked;
    const rows = await icebergRead({ tableUrl });
    const others = columns.filter(({ type }) => type.kind !== 'B');
    expect(foundRows(rows, others)).toEqual(expectedRows(others));
  } finally {
    lake = unmarked;
    marked.close();
  }
});

it('hyparquet reads every value from the data files', async () => {
  const rows: Record<string, unknown>[] = [];
  for (const { file } of files) {
    const bytes = await lake.world.store.read(file.path);
    const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
    rows.push(
      ...(await parquetReadObjects({ file: buffer as ArrayBuffer, compressors, utf8: false })),
    );
  }
  expect(foundRows(rows)).toEqual(expectedRows());
});

describe('parquetjs-lite', () => {
  it('reads keys, texts, integers and flags from rows written anew without zstd and dictionaries', async () => {
    const { ParquetReader } = createRequire(import.meta.url)('parquetjs-lite') as {
      readonly ParquetReader: {
        openBuffer(file: Buffer): Promise<{ getCursor(): { next(): Promise<object | null> } }>;
      };
    };
    const plainColumns = ['clientid', 'created', 'status', 'qty', 'active'];
    const fields = plainColumns.map((name) => columns.find((column) => column.name === name)!);
    const rows: Record<string, unknown>[] = [];
    for (const { file } of files) {
      const readRange = (start: number, end: number): Promise<Uint8Array> =>
        lake.world.store.read(file.path, { start, end });
      const footer = await readFooter(readRange, Number(file.fileSizeBytes), file.path);
      const indexes = footer.rowGroups.map((_, i) => i);
      const table = tableFromIPC(await decodeRowGroups({ readRange, footer, indexes }));
      const ipc = tableToIPC(table.select(plainColumns), 'stream');
      const assembler = new ParquetAssembler();
      const parts = [
        assembler.start(),
        assembler.add(encodeRowGroup(ipc, { compression: 'snappy', plainColumns })),
      ];
      const buffer = Buffer.concat([...parts, assembler.finish().tail]);
      const cursor = (await ParquetReader.openBuffer(buffer)).getCursor();
      for (let row = await cursor.next(); row !== null; row = await cursor.next()) {
        rows.push(row as Record<string, unknown>);
      }
    }
    expect(foundRows(rows, fields)).toEqual(expectedRows(fields));
  });
});
