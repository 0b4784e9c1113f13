// The floor of a copy-on-write merge: DuckDB rewrites the touched buckets without the changed keys and adds the new rows.
// Promises the lake's own files and columns; changes are typed and at hand before the clock starts, and nothing is committed.
// Use: node duckdb-rewrite.mjs OPTIONS.json, with {tableFolder, changesFile, buckets, bucketCount, threads, out}
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { transformValue } from '../../dist/pipeline/lake/iceberg/transforms.js';

const options = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const { tableFolder, changesFile, buckets, bucketCount, threads, out } = options;
const quote = (text) => `'${text.replaceAll("'", "''")}'`;
const instance = await DuckDBInstance.create(':memory:', { threads: String(threads) });
const connection = await instance.connect();
await connection.run('SET preserve_insertion_order = false');
// The preparation below reads the same files; the measured part must not find them in DuckDB's own cache.
await connection.run('SET enable_external_file_cache = false');

const files = await filesByBucket();
await prepareChanges();

const began = performance.now();
const waiting = [...buckets];
// A bucket's file is one row group or a few, which one thread works through: so as many buckets at once as threads.
await Promise.all(
  Array.from({ length: Math.min(threads, buckets.length) }, async () => {
    const own = await instance.connect();
    for (let bucket = waiting.shift(); bucket !== undefined; bucket = waiting.shift()) {
      await rewrite(own, bucket);
    }
  }),
);
const seconds = (performance.now() - began) / 1000;

const rowsBefore = await countRows(buckets.flatMap((bucket) => files.get(bucket)));
const rowsAfter = await countRows(buckets.map(rewrittenFile));
console.log(JSON.stringify({ rowsBefore, rowsAfter, seconds }));

async function countRows(names) {
  const result = await connection.runAndReadAll(`SELECT count(*) FROM ${rowsOf(names)}`);
  return Number(result.getRows()[0][0]);
}

function rewrittenFile(bucket) {
  return path.join(out, `bucket-${bucket}.parquet`);
}

/** All files of a lake that was just loaded are live; which bucket one is of, any of its rows tells. */
async function filesByBucket() {
  const found = new Map();
  const names = readdirSync(tableFolder, { recursive: true }).filter((name) =>
    name.endsWith('.parquet'),
  );
  for (const name of names) {
    const file = path.join(tableFolder, name);
    const row = await connection.runAndReadAll(
      `SELECT clientid FROM read_parquet(${quote(file)}, hive_partitioning = false) LIMIT 1`,
    );
    const client = row.getRows()[0][0];
    const bucket = transformValue(`bucket[${bucketCount}]`, 'string', client);
    found.set(bucket, [...(found.get(bucket) ?? []), file]);
  }
  return found;
}

/** The rows of some files, with the lake's columns and none that DuckDB reads out of folder names. */
function rowsOf(names) {
  return `read_parquet([${names.map(quote).join(', ')}], hive_partitioning = false)`;
}

/** Makes `changed_keys` (with the bucket of each) and `new_rows`, the state after the window, out of the lake's own rows. */
async function prepareChanges() {
  const changes = JSON.parse(readFileSync(changesFile, 'utf8'));
  const rows = changes.map(({ op, clientid, created, source }) => {
    const bucket = transformValue(`bucket[${bucketCount}]`, 'string', clientid);
    return `(${quote(op)}, ${quote(clientid)}, ${quote(created)}, ${quote(source)}, ${bucket})`;
  });
  await connection.run(`
    CREATE TABLE changes AS
    SELECT * FROM (VALUES ${rows.join(', ')}) AS t(op, clientid, created, source, bucket)`);
  await connection.run(
    'CREATE TABLE changed_keys AS SELECT clientid, created, bucket FROM changes',
  );
  const touched = buckets.flatMap((bucket) => files.get(bucket));
  await connection.run(`
    CREATE TABLE new_rows AS
    SELECT c.bucket AS "bucket of row", r.* REPLACE (c.created AS created, 'RETURNED' AS status)
    FROM ${rowsOf(touched)} r JOIN changes c ON r.clientid = c.clientid AND r.created = c.source
    WHERE c.op <> 'deleted'`);
}

async function rewrite(own, bucket) {
  await own.run(`
    COPY (
      SELECT * FROM ${rowsOf(files.get(bucket))}
      ANTI JOIN (SELECT clientid, created FROM changed_keys WHERE bucket = ${bucket})
      USING (clientid, created)
      UNION ALL
      SELECT * EXCLUDE ("bucket of row") FROM new_rows WHERE "bucket of row" = ${bucket}
    ) TO ${quote(rewrittenFile(bucket))} (FORMAT parquet, COMPRESSION zstd)`);
}
