// DuckDB's way: read_json with a hand-written schema, straight into one zstd Parquet file.
// Promises exact decimals and all attributes of mystore; no verification, no sorting, no table around it.
// Use: node duckdb-convert.mjs FILES.json THREADS OUT.parquet
import { readFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';

const began = performance.now();
const files = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const [threads, out] = process.argv.slice(3);

/** Every attribute of mystore. Numbers are read as they stand, as text, and cast: that is exact. */
const itemType = `STRUCT(
  clientid STRUCT(S VARCHAR), created STRUCT(S VARCHAR), orderId STRUCT(S VARCHAR),
  lines STRUCT(L STRUCT(M STRUCT(sku STRUCT(S VARCHAR), price STRUCT(N VARCHAR), qty STRUCT(N VARCHAR)))[]),
  address STRUCT(M STRUCT(street STRUCT(S VARCHAR), city STRUCT(S VARCHAR), zip STRUCT(S VARCHAR))),
  tags STRUCT(SS VARCHAR[]), status STRUCT(S VARCHAR), active STRUCT(BOOL BOOLEAN),
  qty STRUCT(N VARCHAR), amount STRUCT(N VARCHAR), referrer STRUCT(S VARCHAR),
  giftMessage STRUCT(S VARCHAR), vip STRUCT(BOOL BOOLEAN), weightKg STRUCT(N VARCHAR),
  signature STRUCT(B VARCHAR), lockerIds STRUCT(NS VARCHAR[]), coupon STRUCT(S VARCHAR),
  note STRUCT(S VARCHAR), loyaltyPoints STRUCT(N VARCHAR), revision STRUCT(N VARCHAR),
  expiresAt STRUCT(N VARCHAR))`;

const columns = `
  Item.clientid.S AS clientid, Item.created.S AS created, Item.orderId.S AS order_id,
  list_transform(Item.lines.L, lambda line: {
    sku: line.M.sku.S, price: CAST(line.M.price.N AS DECIMAL(18,2)), qty: CAST(line.M.qty.N AS BIGINT)
  }) AS lines,
  {street: Item.address.M.street.S, city: Item.address.M.city.S, zip: Item.address.M.zip.S} AS address,
  Item.tags.SS AS tags, Item.status.S AS status, Item.active.BOOL AS active,
  CAST(Item.qty.N AS BIGINT) AS qty, CAST(Item.amount.N AS DECIMAL(18,2)) AS amount,
  Item.referrer.S AS referrer, Item.giftMessage.S AS gift_message, Item.vip.BOOL AS vip,
  CAST(Item.weightKg.N AS DECIMAL(18,2)) AS weight_kg, from_base64(Item.signature.B) AS signature,
  CAST(Item.lockerIds.NS AS BIGINT[]) AS locker_ids, Item.coupon.S AS coupon, Item.note.S AS note,
  CAST(Item.loyaltyPoints.N AS BIGINT) AS loyalty_points, CAST(Item.revision.N AS BIGINT) AS revision,
  CAST(Item.expiresAt.N AS BIGINT) AS expires_at`;

const quote = (text) => `'${text.replaceAll("'", "''")}'`;
const instance = await DuckDBInstance.create(':memory:', { threads });
const connection = await instance.connect();
// Nobody asked for an order; keeping one costs DuckDB time and memory.
await connection.run('SET preserve_insertion_order = false');
const result = await connection.run(`
  COPY (
    SELECT ${columns}
    FROM read_json([${files.map((file) => quote(file.path)).join(', ')}],
      format = 'newline_delimited', compression = 'gzip', columns = {Item: ${quote(itemType)}})
  ) TO ${quote(out)} (FORMAT parquet, COMPRESSION zstd)`);
const items = Number((await result.getRows())[0][0]);
console.log(JSON.stringify({ items, seconds: (performance.now() - began) / 1000 }));
