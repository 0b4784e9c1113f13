// The usual way in JavaScript: readline, JSON.parse, unmarshall of the AWS SDK, parquetjs-lite.
// Promises all attributes of mystore, but numbers as doubles: parquetjs-lite has no decimals. Row groups and (no) compression as it does by itself, its fastest.
// Use: node parquetjs.mjs FILES.json OUT.parquet
import { createReadStream, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import parquet from 'parquetjs-lite';

const began = performance.now();
const files = JSON.parse(readFileSync(process.argv[2], 'utf8'));

const text = { type: 'UTF8' };
const optional = { type: 'UTF8', optional: true };
const schema = new parquet.ParquetSchema({
  clientid: text,
  created: text,
  orderId: text,
  lines: {
    repeated: true,
    fields: { sku: text, price: { type: 'DOUBLE' }, qty: { type: 'INT64' } },
  },
  address: { fields: { street: text, city: text, zip: optional } },
  tags: { type: 'UTF8', repeated: true },
  status: text,
  active: { type: 'BOOLEAN' },
  qty: { type: 'INT64' },
  amount: { type: 'DOUBLE' },
  referrer: optional,
  giftMessage: optional,
  vip: { type: 'BOOLEAN', optional: true },
  weightKg: { type: 'DOUBLE', optional: true },
  signature: { type: 'BYTE_ARRAY', optional: true },
  lockerIds: { type: 'INT64', repeated: true },
  coupon: optional,
  note: optional,
  loyaltyPoints: { type: 'INT64', optional: true },
  revision: { type: 'INT64', optional: true },
  expiresAt: { type: 'INT64', optional: true },
});

const writer = await parquet.ParquetWriter.openFile(schema, process.argv[3]);
let items = 0;
for (const file of files) {
  const input = createReadStream(file.path).pipe(createGunzip());
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    const item = unmarshall(JSON.parse(line).Item);
    item.tags = [...item.tags];
    if (item.lockerIds !== undefined) item.lockerIds = [...item.lockerIds];
    if (item.signature !== undefined) item.signature = Buffer.from(item.signature);
    if (item.note === null) delete item.note;
    await writer.appendRow(item);
    items += 1;
  }
}
await writer.close();
console.log(JSON.stringify({ items, seconds: (performance.now() - began) / 1000 }));
