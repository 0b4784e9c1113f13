// The text of one mystore order, from nothing but (seed, index, version).
// Promises: the same three give the same item; about 500 bytes of DynamoDB JSON; sums of an order add up.
// Source: the number and string forms DynamoDB returns (trailing zeros trimmed), Developer Guide, "Supported data types".

import { mix32, type Random } from './random.js';

const streets = [
  'Long Street',
  'Rua do Ouro',
  'Hauptstraße',
  'Elm Avenue',
  'Via Roma',
  'Calle Mayor',
  'Kærvej',
  'Main Street',
];
const cities = [
  'Cape Town',
  'Lisboa',
  'Zürich',
  'Boston',
  'Torino',
  'Málaga',
  'Aarhus',
  'São Paulo',
  'Kraków',
  'Leeds',
];
const allTags = [
  'gift',
  'express',
  'fragile',
  'preorder',
  'outlet',
  'b2b',
  'subscription',
  'repeat',
];
const stages = ['PLACED', 'PAID', 'PACKED', 'SHIPPED', 'DELIVERED', 'REVIEWED', 'ARCHIVED'];
const notes = [
  'leave with the neighbour',
  'call before delivery',
  'ring twice, the bell is weak',
  'please no plastic',
  'customer said: \\"as soon as you can\\"',
  'back door\\nsecond floor',
];
const referrers = ['newsletter', 'search', 'partner:blue', 'friend', 'ad/2026-q4'];

/** What fixes one order. */
export interface OrderSource {
  /** 32-bit hash of the seed. */
  readonly seedHash: number;
  /** Number of clients orders are spread over. */
  readonly clients: number;
}

/** The client of an order: few clients have many orders. */
export function clientOf(source: OrderSource, index: number): number {
  const share = mix32(mix32(index ^ source.seedHash) + 0x51ed270b) / 4294967296;
  return Math.floor(source.clients * share * share * share);
}

/** DynamoDB JSON of the key attributes, one text each, partition key first. */
export function keyParts(client: number, createdMs: number): [string, string] {
  return [
    `"clientid":{"S":"client-${String(client).padStart(6, '0')}"}`,
    `"created":{"S":"${new Date(createdMs).toISOString()}"}`,
  ];
}

/** Decimal text of a number of cents, as DynamoDB gives it back: trailing zeros trimmed. */
export function centsText(cents: number): string {
  const rest = cents % 100;
  const whole = (cents - rest) / 100;
  if (rest === 0) return String(whole);
  return rest % 10 === 0 ? `${whole}.${rest / 10}` : `${whole}.${rest < 10 ? '0' : ''}${rest}`;
}

/** One version of one order. */
export interface OrderVersion {
  readonly source: OrderSource;
  readonly index: number;
  readonly version: number;
  readonly createdMs: number;
  /** Whether the order was there long before: then it has mostly come to its end. */
  readonly isOld: boolean;
}

/**
 * The attributes of one order as `"name":{…}` texts, in no particular order. `random` is used as scratch.
 * What never changes is drawn from (seed, index), what an update changes from (seed, index, version).
 */
export function orderParts(order: OrderVersion, random: Random): string[] {
  const { source, index, version, createdMs } = order;
  const stable = mix32(source.seedHash + Math.imul(index, 0x9e3779b1));
  random.reset(stable, index);
  const parts: string[] = keyParts(clientOf(source, index), createdMs);
  parts.push(
    `"orderId":{"S":"ord-${(100_000_000 + index).toString(36)}-${(random.next() & 0xffff).toString(16)}"}`,
  );

  const lineCount = 1 + random.below(3);
  let cents = 0;
  let pieces = 0;
  let lines = '';
  for (let i = 0; i < lineCount; i++) {
    const price = 100 + random.below(random.below(4) === 0 ? 90_000 : 6_000);
    const qty = 1 + random.below(4);
    cents += price * qty;
    pieces += qty;
    lines += `${i === 0 ? '' : ','}{"M":{"sku":{"S":"SKU-${10_000 + random.below(40_000)}"},"price":{"N":"${centsText(price)}"},"qty":{"N":"${qty}"}}}`;
  }
  parts.push(`"lines":{"L":[${lines}]}`);

  const zip =
    random.below(10) < 7 ? `,"zip":{"S":"${String(random.below(100_000)).padStart(5, '0')}"}` : '';
  const street = `${1 + random.below(180)} ${random.pick(streets)}`;
  parts.push(
    `"address":{"M":{"street":{"S":"${street}"},"city":{"S":"${random.pick(cities)}"}${zip}}}`,
  );

  const firstTag = random.below(allTags.length);
  const tagCount = 1 + random.below(3);
  let tags = '';
  for (let i = 0; i < tagCount; i++) {
    tags += `${i === 0 ? '' : ','}"${allTags[(firstTag + i * 3) % allTags.length]!}"`;
  }
  parts.push(`"tags":{"SS":[${tags}]}`);
  pushSparseStable(parts, random);

  const startStage = order.isOld ? [4, 4, 5, 6, 6, 3][random.below(6)]! : 0;
  random.reset(stable ^ mix32(version + 1), index ^ 0x2545f491);
  const isCancelled = random.below(25) === 0;
  const stage = Math.min(startStage + version, stages.length - 1);
  parts.push(`"status":{"S":"${isCancelled ? 'CANCELLED' : stages[stage]!}"}`);
  parts.push(`"active":{"BOOL":${!isCancelled && stage < 4}}`);
  parts.push(`"qty":{"N":"${pieces}"}`);
  pushChanging(parts, order, cents, random);
  return parts;
}

/** Attributes that 1 to 10 % of the orders have from the beginning. */
function pushSparseStable(parts: string[], random: Random): void {
  if (random.chance(0.06)) parts.push(`"referrer":{"S":"${random.pick(referrers)}"}`);
  if (random.chance(0.04)) parts.push('"giftMessage":{"S":"Happy birthday 🎂, see you on Sunday"}');
  if (random.chance(0.02)) parts.push('"vip":{"BOOL":true}');
  if (random.chance(0.03)) parts.push(`"weightKg":{"N":"${centsText(10 + random.below(3000))}"}`);
  if (random.chance(0.01)) {
    parts.push(`"signature":{"B":"${Buffer.from(random.bytes(24)).toString('base64')}"}`);
  }
  if (random.chance(0.01)) {
    const first = 1 + random.below(50);
    parts.push(`"lockerIds":{"NS":["${first}","${first + 7}"]}`);
  }
}

/** Attributes that come, change and go with updates. */
function pushChanging(parts: string[], order: OrderVersion, cents: number, random: Random): void {
  let discount = 0;
  if (random.chance(0.1)) {
    discount = 5 * (1 + random.below(6));
    parts.push(`"coupon":{"S":"SAVE${discount}"}`);
  }
  parts.push(`"amount":{"N":"${centsText(cents - Math.floor((cents * discount) / 100))}"}`);
  const note = random.unit();
  if (note < 0.15) parts.push(`"note":{"S":"${random.pick(notes)}"}`);
  else if (note < 0.18) parts.push('"note":{"NULL":true}');
  if (random.chance(0.05)) parts.push(`"loyaltyPoints":{"N":"${random.below(20_000)}"}`);
  if (order.version > 0) parts.push(`"revision":{"N":"${order.version}"}`);
  if (random.chance(0.08))
    parts.push(`"expiresAt":{"N":"${Math.floor(order.createdMs / 1000) + 7_776_000}"}`);
}

/** One JSON object of the parts, their order turned by `turn`: no two images of an item need to agree in it. */
export function joinParts(parts: readonly string[], turn: number): string {
  const count = parts.length;
  const start = turn % count;
  const step = (turn & 0x100) === 0 ? 1 : count - 1;
  let json = `{${parts[start]!}`;
  for (let i = 1, at = start; i < count; i++) {
    at = (at + step) % count;
    json += `,${parts[at]!}`;
  }
  return `${json}}`;
}
