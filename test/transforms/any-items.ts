// Arbitrary items for properties, and the way from items to rows and back.
// Promises: attributes mostly keep to a kind, so that chosen columns hold something, and now and then do not.
// Source: Amazon DynamoDB Developer Guide, "Supported data types and naming rules".

import fc from 'fast-check';
import {
  canonicalItem,
  canonicalLine,
  canonicalNumber,
} from '../../pipeline/simulator/canonical.js';
import { attributeJson, type Item } from '../../pipeline/simulator/item.js';
import { wildNames, wildNumbers, wildTexts } from '../../pipeline/simulator/wild-values.js';
import { scanTypes } from '../../pipeline/units/scan-unit.js';
import type { AttributeValue, KeyAttribute } from '../../schemas/attribute.js';
import {
  chooseJsonPlaces,
  chooseType,
  countDeviations,
  type DeviationCounts,
  deviations,
  isTroubled,
  type JsonPlaces,
} from '../../transforms/choose-types.js';
import type { Rows, TypedAttribute } from '../../transforms/make-columns.js';
import { planTypes } from '../../transforms/plan-types.js';
import { ItemWriter } from '../../transforms/render-json.js';
import { ItemScanner } from '../../transforms/scan-items.js';
import { emptyStats, observe, presentCount, type TypeStats } from '../../transforms/type-stats.js';
import type { Value } from '../../transforms/values.js';

export const key: readonly KeyAttribute[] = [
  { name: 'pk', tag: 'S' },
  { name: 'sk', tag: 'N' },
];

// ---- values

const digits = (max: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: max });

/** Texts of numbers, in any writing the format may hold. */
export const numberText: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -1000, max: 1000 }).map(String) },
  {
    weight: 2,
    arbitrary: fc.integer({ min: -99999, max: 99999 }).map((n) => (n / 100).toFixed(2)),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom('', '-'), digits(18), digits(18))
      .map(([sign, whole, fraction]) => `${sign}${whole}.${fraction}`),
  },
  {
    weight: 1,
    arbitrary: fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }).map(String),
  },
  { weight: 1, arbitrary: fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }).map(String) },
  { weight: 1, arbitrary: fc.constantFrom(...wildNumbers) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('-0', '0.00', '1.0', '1E2', '1e+2', '0.5e-3', '.5', '5.', '-0.0E7'),
  },
);

const text = fc.oneof(
  fc.constantFrom(...wildTexts),
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.string({ maxLength: 60 }),
);
const binary = fc
  .uint8Array({ maxLength: 9 })
  .map((bytes) => Buffer.from(bytes).toString('base64'));
const nestedName = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('x', 'y', 'z') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(...wildNames, '', '0', '\u0001', '\u0002a', '\u0000[]', '[]', '{}'),
  },
);

const number: fc.Arbitrary<AttributeValue> = numberText.map((N) => ({ N }));
const string: fc.Arbitrary<AttributeValue> = text.map((S) => ({ S }));
const bytes: fc.Arbitrary<AttributeValue> = binary.map((B) => ({ B }));
const nothing: fc.Arbitrary<AttributeValue> = fc.constant({ NULL: true });
const flag: fc.Arbitrary<AttributeValue> = fc.boolean().map((BOOL) => ({ BOOL }));
const numberSet: fc.Arbitrary<AttributeValue> = fc
  .uniqueArray(numberText, { minLength: 1, maxLength: 5, selector: canonicalNumber })
  .map((NS) => ({ NS }));
const stringSet: fc.Arbitrary<AttributeValue> = fc
  .uniqueArray(text, { minLength: 1, maxLength: 20 })
  .map((SS) => ({ SS }));
const binarySet: fc.Arbitrary<AttributeValue> = fc
  .uniqueArray(binary, { minLength: 1, maxLength: 4 })
  .map((BS) => ({ BS }));

/** Entries under unique names as a map. */
function mapOf(
  name: fc.Arbitrary<string>,
  value: fc.Arbitrary<AttributeValue>,
  maxLength: number,
): fc.Arbitrary<Map<string, AttributeValue>> {
  return fc
    .uniqueArray(fc.tuple(name, value), { maxLength, selector: ([one]) => one })
    .map((entries) => new Map(entries));
}

/** Any value, up to three levels deep. */
export const anyValue: fc.Arbitrary<AttributeValue> = fc.letrec<{ value: AttributeValue }>(
  (tie) => ({
    value: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      number,
      string,
      nothing,
      flag,
      bytes,
      numberSet,
      stringSet,
      binarySet,
      fc.array(tie('value'), { maxLength: 4 }).map((L) => ({ L })),
      mapOf(nestedName, tie('value'), 4).map((M) => ({ M })),
    ),
  }),
).value;

function mostly(home: fc.Arbitrary<AttributeValue>, weight = 14): fc.Arbitrary<AttributeValue> {
  return fc.oneof(
    { weight, arbitrary: home },
    { weight: 1, arbitrary: nothing },
    { weight: 1, arbitrary: anyValue },
  );
}

function listOf(
  element: fc.Arbitrary<AttributeValue>,
  maxLength = 4,
): fc.Arbitrary<AttributeValue> {
  return fc.array(element, { maxLength }).map((L) => ({ L }));
}

/** Values under some of the names. */
function someOf(
  fields: Record<string, fc.Arbitrary<AttributeValue>>,
): fc.Arbitrary<Record<string, AttributeValue>> {
  return fc.record(fields, { requiredKeys: [] }) as fc.Arbitrary<Record<string, AttributeValue>>;
}

function structOf(
  fields: Record<string, fc.Arbitrary<AttributeValue>>,
): fc.Arbitrary<AttributeValue> {
  return someOf(fields).chain((record) =>
    fc.option(fc.tuple(nestedName, anyValue), { freq: 12, nil: null }).map((odd) => ({
      M: new Map([...Object.entries(record), ...(odd === null ? [] : [odd])]),
    })),
  );
}

const small = fc.integer({ min: -99, max: 9999 }).map((n): AttributeValue => ({ N: String(n) }));
const line = structOf({
  x: mostly(small, 40),
  y: mostly(string, 40),
  z: listOf(mostly(small, 40), 2),
});
const counter = mapOf(
  fc.integer({ min: 0, max: 400 }).map((n) => `user-${n}`),
  mostly(small, 60),
  30,
).map((M): AttributeValue => ({ M }));

const homes: Record<string, fc.Arbitrary<AttributeValue>> = {
  long: mostly(small),
  money: mostly(fc.integer().map((n): AttributeValue => ({ N: (n / 100).toFixed(2) }))),
  number,
  text: mostly(string),
  bytes: mostly(bytes),
  flag: mostly(flag),
  lines: mostly(listOf(line)),
  struct: mostly(structOf({ x: small, y: mostly(line, 30), z: flag })),
  matrix: mostly(listOf(listOf(mostly(small, 30)))),
  counters: mostly(counter),
  deepCounters: mostly(listOf(structOf({ x: counter }), 2)),
  numbers: mostly(numberSet),
  texts: mostly(stringSet),
  binaries: mostly(binarySet),
  emptyList: mostly(fc.constant({ L: [] })),
  emptyMap: mostly(structOf({ x: fc.constant({ M: new Map() }), y: fc.constant({ L: [] }) })),
  any: anyValue,
  nothing,
};

/** Items of one table, in which keys need not differ. */
export const anyItem: fc.Arbitrary<Item> = fc
  .tuple(
    fc.string({ minLength: 1, maxLength: 4 }),
    numberText,
    someOf(homes),
    mapOf(fc.constantFrom(...wildNames), anyValue, 2),
  )
  .map(([pk, sk, record, odd]) => {
    const item = new Map<string, AttributeValue>([...Object.entries(record), ...odd]);
    return item.set('pk', { S: pk }).set('sk', { N: sk });
  });

export const anyItems: fc.Arbitrary<Item[]> = fc.array(anyItem, { minLength: 1, maxLength: 12 });

// ---- items to rows

/** Lines of a full export; attributes in the order of each item's map. */
export function linesOf(items: readonly Item[]): Uint8Array {
  const text = items
    .map((item) => {
      const names = [...item].map(
        ([name, value]) => `${JSON.stringify(name)}:${attributeJson(value)}`,
      );
      return `{"Item":{${names.join(',')}}}\n`;
    })
    .join('');
  return Buffer.from(text, 'utf8');
}

/** An attribute value as the tree the transforms work on. */
export function treeOf(value: AttributeValue): Value {
  if ('S' in value) return { tag: 'S', text: value.S };
  if ('N' in value) return { tag: 'N', text: canonicalNumber(value.N) };
  if ('B' in value) return { tag: 'B', text: value.B };
  if ('BOOL' in value) return { tag: 'BOOL', flag: value.BOOL };
  if ('NULL' in value) return { tag: 'NULL' };
  if ('SS' in value) return { tag: 'SS', members: value.SS };
  if ('NS' in value) return { tag: 'NS', members: value.NS.map(canonicalNumber) };
  if ('BS' in value) return { tag: 'BS', members: value.BS };
  if ('L' in value) return { tag: 'L', elements: value.L.map(treeOf) };
  return { tag: 'M', entries: [...value.M].map(([name, entry]) => [name, treeOf(entry)] as const) };
}

/** Statistics of items, from value trees alone. */
export function statsOf(items: readonly Item[]): Map<string, TypeStats> {
  const all = new Map<string, TypeStats>();
  for (const item of items) {
    for (const [name, value] of item) {
      const stats = all.get(name) ?? emptyStats();
      all.set(name, stats);
      observe(stats, treeOf(value));
    }
  }
  return all;
}

/** The types a load settles on for items. */
export function typesOf(
  items: readonly Item[],
  ofKey: readonly KeyAttribute[] = key,
): TypedAttribute[] {
  const stats = statsOf(items);
  const json = new Map<string, JsonPlaces>();
  for (const [name, seen] of stats) {
    const type = chooseType(seen);
    if (type === null || !isTroubled(seen, type)) continue;
    const counts: DeviationCounts = new Map();
    for (const item of items) {
      const value = item.get(name);
      if (value !== undefined) countDeviations(counts, deviations(treeOf(value), type));
    }
    json.set(name, chooseJsonPlaces(counts, presentCount(seen)));
  }
  return planTypes(ofKey, stats, json);
}

/** A scanner with number keys as text. */
export function scannerOf(
  types: readonly TypedAttribute[],
  ofKey: readonly KeyAttribute[] = key,
): ItemScanner {
  return new ItemScanner({ types: scanTypes(types, ofKey), key: ofKey });
}

/** Rows and statistics of items under a plan. */
export function scanned(
  items: readonly Item[],
  types: readonly TypedAttribute[],
): ReturnType<ItemScanner['finish']> {
  const scanner = scannerOf(types);
  scanner.scanItems(linesOf(items));
  return scanner.finish();
}

/** Canonical text of every row, as the oracle reads what was written. */
export function writtenBack(rows: Rows): string[] {
  const writer = new ItemWriter(rows);
  for (let row = 0; row < rows.n; row++) writer.write(row);
  return Buffer.from(writer.take()).toString('utf8').split('\n').slice(0, -1).map(canonicalLine);
}

export function canonical(items: readonly Item[]): string[] {
  return items.map(canonicalItem);
}

/** No columns but the key's. */
export const emptyPlan: readonly TypedAttribute[] = planTypes(key, new Map());
