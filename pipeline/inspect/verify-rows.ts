// Checks of the rows: keys, counts, bounds and partitions.
// Promises: keys and counts are exact over all rows; bounds and partitions are compared on a sample, said in the detail.
// Spec: apache/iceberg format/spec.md, "Manifests" (bounds), "Partition Transforms".

import type {
  IcebergField,
  IcebergType,
  ManifestEntry,
  PartitionField,
  PartitionValue,
} from '../../schemas/iceberg.js';
import { decodeBound, primitiveName } from '../lake/iceberg/bounds.js';
import { currentSnapshot, specById } from '../lake/iceberg/metadata.js';
import { statedTotals, totalsOf } from '../lake/iceberg/snapshot-summary.js';
import { transformValue } from '../lake/iceberg/transforms.js';
import { countRows } from '../lake/position-deletes.js';
import { duckdbType } from '../query/duckdb-types.js';
import { quoteName } from '../query/sql-text.js';
import { viewFiles } from '../query/table-files.js';
import { positionColumn, tableSelect } from '../query/views.js';
import { keyFields, rowsOf } from './inspected-table.js';
import { type Finding, fileName, findingOf, sampled, type Verified } from './verify-finding.js';

/** Files whose bounds and partitions are compared, spread evenly over the table. */
const sampleFiles = 50;
/** Rows of a file whose partition is computed anew. */
const sampleRows = 200;
/** Columns of a file whose bounds are compared. */
const boundColumnsMax = 200;

/** No key column is null, and no key occurs twice, over all live rows. */
export async function checkKeys(it: Verified): Promise<Finding> {
  const keys = keyFields(it.table, it.schema);
  const select = await liveSelect(it, keys);
  const names = keys.map((key) => quoteName(key.name));
  const isNull = names.map((name) => `${name} IS NULL`).join(' OR ');
  const [counts] = await rowsOf(
    it.engine,
    `SELECT count(*), count(*) FILTER (${isNull}) FROM (${select})`,
  );
  const wrong: string[] = [];
  if (Number(counts![1]) > 0) wrong.push(`${counts![1]} rows have no key`);
  const twice = await countDuplicates(it, select, names);
  if (twice > 0) wrong.push(`${twice} keys occur more than once`);
  return findingOf(wrong, `${counts![0]} keys of ${keys.map((key) => key.name).join(', ')}`);
}

/**
 * Keys that occur more than once. Hashes are grouped first, eight bytes a row instead of whole keys: equal keys have
 * equal hashes, so where no hash occurs twice no key does; else the few suspects are compared exactly.
 */
async function countDuplicates(
  it: Verified,
  select: string,
  names: readonly string[],
): Promise<number> {
  const hash = `hash(${names.join(', ')})`;
  const suspects = `SELECT ${hash} AS h FROM (${select}) GROUP BY h HAVING count(*) > 1`;
  await it.engine.execute(`CREATE OR REPLACE TEMP TABLE suspects AS ${suspects}`);
  const [found] = await rowsOf(it.engine, 'SELECT count(*) FROM suspects');
  if (Number(found![0]) === 0) return 0;
  const exact = `SELECT ${names.join(', ')} FROM (${select}) WHERE ${hash} IN (SELECT h FROM suspects) GROUP BY ALL HAVING count(*) > 1`;
  const [row] = await rowsOf(it.engine, `SELECT count(*) FROM (${exact})`);
  return Number(row![0]);
}

async function liveSelect(it: Verified, fields: readonly IcebergField[]): Promise<string> {
  const narrow = { ...it.schema, fields };
  const files = await viewFiles(it.world, it.table, narrow, it.live);
  return tableSelect({ schema: narrow, files });
}

/** What the snapshot's summary says, what the manifests add up to, and what a reader counts are the same. */
export async function checkTotals(it: Verified): Promise<Finding> {
  const actual = totalsOf([...it.live.data, ...it.live.positionDeletes]);
  const stated = statedTotals(currentSnapshot(it.table.md)?.summary ?? {});
  const wrong: string[] = [];
  if (stated === null) wrong.push('the summary lacks totals');
  else {
    const names = ['records', 'dataFiles', 'deleteFiles', 'positionDeletes', 'bytes'] as const;
    for (const name of names) {
      if (stated[name] !== actual[name]) {
        wrong.push(`the summary says ${stated[name]} ${name}, the manifests ${actual[name]}`);
      }
    }
  }
  const select = await liveSelect(it, it.schema.fields.slice(0, 1));
  const [row] = await rowsOf(it.engine, `SELECT count(*) FROM (${select})`);
  const counted = BigInt(row![0] as number | string);
  const expected = BigInt(await countRows(it.world.store, it.table, it.live));
  if (counted !== expected) wrong.push(`${counted} rows can be read, not ${expected}`);
  return findingOf(wrong, `${counted} rows, ${actual.dataFiles} data files, ${actual.bytes} bytes`);
}

/** Least and greatest values and null counts of sampled files lie where their manifests say. */
export async function checkBounds(it: Verified): Promise<Finding> {
  const entries = sampled(it.live.data, sampleFiles);
  const wrong: string[] = [];
  let columns = 0;
  for (const entry of entries) {
    const tests = it.schema.fields
      .slice(0, boundColumnsMax)
      .flatMap((field) => boundTests(entry, field));
    if (tests.length === 0) continue;
    columns += new Set(tests.map((test) => test.column)).size;
    const fields = it.schema.fields.filter((field) =>
      tests.some((test) => test.column === field.name),
    );
    const select = await rawSelect(it, entry, fields);
    const [row] = await rowsOf(
      it.engine,
      `SELECT ${tests.map((test) => test.sql).join(', ')} FROM (${select})`,
    );
    tests.forEach((test, i) => {
      // NULL: the column has no value, so nothing lies outside.
      if (row![i] === false)
        wrong.push(`${fileName(entry.file.path)}: ${test.what} of ${test.column}`);
    });
  }
  const of = it.live.data.length;
  return findingOf(wrong, `${columns} columns in ${entries.length} of ${of} data files`);
}

/** All rows of one data file, deleted ones too: bounds speak of the file. */
async function rawSelect(
  it: Verified,
  entry: ManifestEntry,
  fields: readonly IcebergField[],
  withPosition = false,
): Promise<string> {
  const narrow = { ...it.schema, fields };
  const live = { ...it.live, data: [entry], positionDeletes: [] };
  const files = await viewFiles(it.world, it.table, narrow, live);
  return tableSelect({ schema: narrow, files, withPosition });
}

interface BoundTest {
  readonly column: string;
  readonly what: string;
  readonly sql: string;
}

function boundTests({ file }: ManifestEntry, field: IcebergField): BoundTest[] {
  if (typeof field.type !== 'string') return [];
  const column = field.name;
  const tests: BoundTest[] = [];
  const name = quoteName(column);
  const isFloating = field.type === 'double' || field.type === 'float';
  // NaN is outside every bound by definition.
  const filter = isFloating ? ` FILTER (NOT isnan(${name}))` : '';
  const lower = file.lowerBounds.get(field.id);
  const upper = file.upperBounds.get(field.id);
  if (lower !== undefined) {
    const bound = boundLiteral(field.type, lower);
    if (bound !== null)
      tests.push({
        column,
        what: 'a value below the lower bound',
        sql: `${comparable(field.type, `min(${name})${filter}`)} >= ${bound}`,
      });
  }
  if (upper !== undefined) {
    const bound = boundLiteral(field.type, upper);
    if (bound !== null)
      tests.push({
        column,
        what: 'a value above the upper bound',
        sql: `${comparable(field.type, `max(${name})${filter}`)} <= ${bound}`,
      });
  }
  const nulls = file.nullValueCounts.get(field.id);
  if (nulls !== undefined) {
    tests.push({
      column,
      what: 'another number of nulls',
      sql: `count(*) - count(${name}) = ${nulls}`,
    });
  }
  return tests;
}

/** Strings are compared by their UTF-8 bytes, as Iceberg compares bounds. */
function comparable(type: string, expression: string): string {
  return type === 'string' ? `encode(${expression})` : expression;
}

/** A bound as SQL, or null for a type whose bounds are not compared. Throws REFUSED_FORMAT for an impossible one. */
function boundLiteral(type: string, bytes: Uint8Array): string | null {
  const hex = Buffer.from(bytes).toString('hex');
  const value = decodeBound(type, bytes);
  switch (primitiveName(type)) {
    case 'string':
    case 'binary':
    case 'fixed':
      return `from_hex('${hex}')`;
    case 'int':
    case 'long':
      return `(${value})`;
    case 'decimal':
      return decimalLiteral(type, value as bigint);
    case 'float':
    case 'double':
      return `'${String(value)}'::DOUBLE`;
    case 'date':
      return `(DATE '1970-01-01' + (${value})::INTEGER)`;
    case 'timestamp':
      return `make_timestamp(${value})`;
    case 'timestamptz':
      return `make_timestamptz(${value})`;
    default:
      return null;
  }
}

function decimalLiteral(type: string, unscaled: bigint): string {
  const scale = Number(/,\s*(\d+)/.exec(type)?.[1] ?? 0);
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  const text = `${unscaled < 0n ? '-' : ''}${whole}${scale === 0 ? '' : `.${digits.slice(-scale)}`}`;
  return `'${text}'::${duckdbType(type)}`;
}

/** Partition values, computed anew for a sample of rows, are those of the files the rows lie in. */
export async function checkPartitions(it: Verified): Promise<Finding> {
  const { md } = it.table;
  const entries = sampled(
    it.live.data.filter((entry) => specById(md, entry.specId).fields.length > 0),
    sampleFiles,
  );
  const wrong: string[] = [];
  let rows = 0;
  for (const entry of entries) {
    for (const [i, part] of specById(md, entry.specId).fields.entries()) {
      const source = it.schema.fields.find((field) => field.id === part['source-id']);
      if (source === undefined || typeof source.type !== 'string' || part.transform === 'void')
        continue;
      const values = await sampleValues(it, entry, source);
      rows += values.length;
      const misplaced = values.filter(
        (value) => !isPlaced(part, source.type, value, entry.file.partition[i] ?? null),
      ).length;
      if (misplaced > 0) {
        wrong.push(
          `${fileName(entry.file.path)}: ${misplaced} of ${values.length} rows belong to another ${part.name}`,
        );
      }
    }
  }
  if (entries.length === 0) return { ok: true, detail: 'the table is not partitioned' };
  return findingOf(
    wrong,
    `${rows} values in ${entries.length} of ${it.live.data.length} data files`,
  );
}

function isPlaced(
  part: PartitionField,
  type: IcebergType,
  value: PartitionValue,
  recorded: PartitionValue,
): boolean {
  const computed = value === null ? null : transformValue(part.transform, type, value);
  if (computed instanceof Uint8Array && recorded instanceof Uint8Array) {
    return Buffer.compare(computed, recorded) === 0;
  }
  return computed === recorded;
}

/** Values of a column of one file, evenly spread, as partition transforms take them. */
async function sampleValues(
  it: Verified,
  entry: ManifestEntry,
  source: IcebergField,
): Promise<readonly PartitionValue[]> {
  const type = source.type as string;
  const select = await rawSelect(it, entry, [source], true);
  const stride = Math.max(1, Math.floor(Number(entry.file.recordCount) / sampleRows));
  const sql = `SELECT ${valueSql(type, quoteName(source.name))} FROM (${select}) WHERE ${positionColumn} % ${stride} = 0`;
  const rows = await rowsOf(it.engine, sql);
  return rows.map(([text]) => (text === null ? null : partitionSource(type, text as string)));
}

/** SQL that gives a value as text which loses nothing. */
function valueSql(type: string, column: string): string {
  switch (primitiveName(type)) {
    case 'binary':
    case 'fixed':
      return `hex(${column})`;
    case 'timestamp':
    case 'timestamptz':
      return `epoch_us(${column})::VARCHAR`;
    case 'date':
      return `(${column} - DATE '1970-01-01')::VARCHAR`;
    default:
      return `${column}::VARCHAR`;
  }
}

function partitionSource(type: string, text: string): PartitionValue {
  switch (primitiveName(type)) {
    case 'binary':
    case 'fixed':
      return new Uint8Array(Buffer.from(text, 'hex'));
    case 'boolean':
      return text === 'true';
    case 'int':
    case 'date':
    case 'float':
    case 'double':
      return Number(text);
    case 'long':
    case 'timestamp':
    case 'timestamptz':
      return BigInt(text);
    case 'decimal':
      return BigInt(text.replace('.', ''));
    default:
      return text;
  }
}
