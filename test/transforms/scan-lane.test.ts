// The fast lane of the scan.
// Promises: it takes what is usual, leaves what is not, and makes no difference to what a table holds.
// Source: the scanner of every case, which has tests of its own; DynamoDB Developer Guide, "DynamoDB table exports,
// output format".

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { itemFromParsed } from '../../pipeline/simulator/canonical.js';
import type { Item } from '../../pipeline/simulator/item.js';
import { MystoreTable, mystoreKey } from '../../pipeline/simulator/mystore.js';
import { Random } from '../../pipeline/simulator/random.js';
import { keyShapes, wildItem, wildKey } from '../../pipeline/simulator/wild.js';
import { scanTypes } from '../../pipeline/units/scan-unit.js';
import type { ColumnType } from '../../schemas/columns.js';
import { numberTypes } from '../../transforms/decimals.js';
import { ScanLane } from '../../transforms/kernel/scan-lane.js';
import { planTypes } from '../../transforms/plan-types.js';
import { anyItems, emptyPlan, key, linesOf, typesOf } from './any-items.js';
import { checkLane } from './beside-the-lane.js';

const long: ColumnType = { kind: 'N', number: { type: 'long' } };
const decimal: ColumnType = { kind: 'N', number: { type: 'decimal', precision: 18, scale: 4 } };
const wide: ColumnType = { kind: 'N', number: { type: 'decimal', precision: 38, scale: 24 } };
const types: readonly (readonly [string, ColumnType])[] = [
  ['s', { kind: 'S' }],
  ['b', { kind: 'B' }],
  ['f', { kind: 'BOOL' }],
  ['n', long],
  ['d', decimal],
  ['w', wide],
  ['ss', { kind: 'SS', elementId: 0 }],
  ['bs', { kind: 'BS', elementId: 0 }],
  ['ns', { kind: 'NS', elementId: 0, number: { type: 'long' } }],
  ['l', { kind: 'L', elementId: 0, element: { kind: 'S' } }],
  ['m', { kind: 'M', fields: [{ id: 0, name: 'x', attribute: 'x', type: long }] }],
  ['map', { kind: 'MAP', keyId: 0, valueId: 0, value: decimal }],
  ['text', { kind: 'JSON' }],
];
const plan = [...emptyPlan, ...types.map(([attribute, type]) => ({ attribute, type }))];

/** Bytes that mean something in a record, and others. */
const byteOf = fc.oneof(
  fc.constantFrom(...Buffer.from('"\\{}[]:,.0-9aNSML=\n ')),
  fc.nat({ max: 127 }),
);

function lineOf(rest: string): string {
  return `{"Item":{"pk":{"S":"p"},"sk":{"N":"1"}${rest}}}\n`;
}

function takes(rest: string): boolean {
  const { taken, left } = checkLane(Buffer.from(lineOf(rest)), plan, key);
  expect(taken + left.length).toBe(1);
  return taken === 1;
}

const image = '{"pk":{"S":"p"},"sk":{"N":"1"},"s":{"S":"text"},"n":{"N":"7"}}';
const keysOf = (pk: string): string => `"Keys":{"pk":{"S":"${pk}"},"sk":{"N":"1"}}`;
const at = '"Metadata":{"WriteTimestampMicros":{"N":"1768387673917155"}}';

function changes(...records: string[]): Buffer {
  return Buffer.from(records.map((record) => `{${record}}\n`).join(''));
}

/** Lines of a window of the example table. */
function changedOrders(items: number, count: number): Buffer {
  const startMs = Date.UTC(2026, 10, 1);
  const endMs = startMs + 3_600_000;
  const table = new MystoreTable({ items, seed: 5, startMs });
  table.play(startMs, endMs, count);
  const found = [...table.changesIn(startMs * 1000, endMs * 1000, new Random(5))];
  return changes(
    ...found.map(({ micros, keys, oldImage, newImage }) =>
      [
        `"Metadata":{"WriteTimestampMicros":{"N":"${micros}"}},"Keys":${keys}`,
        oldImage === null ? '' : `,"OldImage":${oldImage}`,
        newImage === null ? '' : `,"NewImage":${newImage}`,
      ].join(''),
    ),
  );
}

function orders(items: number): Item[] {
  const startMs = Date.UTC(2026, 10, 1);
  return [...new MystoreTable({ items, seed: 5, startMs }).itemsAt(startMs * 1000)];
}

describe('the fast lane', () => {
  it.each([
    ['a string', '"s":{"S":"plain"}'],
    ['an empty string', '"s":{"S":""}'],
    ['a string of 16 bytes', '"s":{"S":"0123456789abcdef"}'],
    ['a long string', `"s":{"S":"${'long and '.repeat(500)}"}`],
    ['escapes', String.raw`"s":{"S":"\"\\\/\b\f\n\r\t\u0000\u00e9\u20ac\ud83c\udf82"}`],
    ['UTF-8', '"s":{"S":"Zürich 🎂 \u2028"}'],
    ['a binary', '"b":{"B":"AAECAwQFBgcICQ=="}'],
    ['an empty binary', '"b":{"B":""}'],
    ['a flag', '"f":{"BOOL":false}'],
    ['an integer of 18 digits', '"n":{"N":"-123456789012345678"}'],
    ['a negative zero', '"n":{"N":"-0"}'],
    ['a decimal with zeros at the end', '"d":{"N":"-12.5000"}'],
    ['a decimal below one', '"d":{"N":"0.05"}'],
    ['a wide decimal', '"w":{"N":"-12345678901.2345678"}'],
    ['a string set out of order', '"ss":{"SS":["b","a","ab",""]}'],
    ['a binary set', '"bs":{"BS":["/w==","AA==","AAE="]}'],
    ['a number set', '"ns":{"NS":["3","-1","2"]}'],
    ['a list', '"l":{"L":[{"S":"a"},{"S":""}]}'],
    ['an empty list', '"l":{"L":[]}'],
    ['a map', '"m":{"M":{"x":{"N":"7"}}}'],
    ['an empty map', '"m":{"M":{}}'],
    ['a dictionary', '"map":{"M":{"one":{"N":"1"},"two":{"N":"2.25"}}}'],
    ['a NULL in place of an attribute', '"s":{"NULL":true},"l":{"NULL":true}'],
  ])('takes %s', (_, rest) => {
    expect(takes(`,${rest}`)).toBe(true);
  });

  it.each([
    ['an attribute without a column', '"other":{"S":"x"}'],
    ['a value of another kind', '"s":{"N":"1"}'],
    ['a number its column does not hold', '"n":{"N":"1.5"}'],
    ['19 digits', '"n":{"N":"1234567890123456789"}'],
    ['an exponent', '"n":{"N":"1E3"}'],
    ['leading zeros', '"n":{"N":"007"}'],
    ['spaces', '"s": {"S":"x"}'],
    ['a NULL in a list', '"l":{"L":[{"NULL":true}]}'],
    ['a NULL in a map', '"m":{"M":{"x":{"NULL":true}}}'],
    ['an unknown name in a map', '"m":{"M":{"y":{"N":"1"}}}'],
    ['a column of DynamoDB JSON text', '"text":{"S":"x"}'],
    ['half a surrogate pair', String.raw`"s":{"S":"\ud83c"}`],
    ['an attribute twice', '"s":{"S":"x"},"s":{"S":"y"}'],
    ['a name twice in a map', '"m":{"M":{"x":{"N":"1"},"x":{"N":"2"}}}'],
    ['a name twice in a dictionary', '"map":{"M":{"x":{"N":"1"},"x":{"N":"2"}}}'],
    ['a member twice in a set', '"ss":{"SS":["b","a","b"]}'],
    ['a set of 100 members', `"ns":{"NS":[${Array.from({ length: 100 }, (_, i) => `"${i}"`)}]}`],
    ['bad base64', '"b":{"B":"AA=A"}'],
  ])('leaves %s to the scanner', (_, rest) => {
    // By itself: what the scanner refuses is no matter here.
    const block = Buffer.from(lineOf(`,${rest}`));
    expect(checkLane(block, plan, key)).toEqual({ taken: 0, left: [0] });
  });

  it('takes numbers of every type as they are, however they are written', () => {
    const parts = ['0', '1', '5', '12', '999', '123456', '12345678901234', '1234567890123456'];
    const fractions = ['', '.0', '.5', '.05', '.50', '.000000', '.123456789012', '.38065000143363'];
    const texts = parts.flatMap((whole) =>
      fractions.flatMap((fraction) => [`${whole}${fraction}`, `-${whole}${fraction}`]),
    );
    const block = texts.map((text) => lineOf(`,"x":{"N":"${text}"},"s":{"S":"beside"}`)).join('');
    const sets = texts.map((text) => lineOf(`,"x":{"NS":["${text}","7"]}`)).join('');
    for (const number of numberTypes) {
      for (const [lines, type] of [
        [block, { kind: 'N', number }],
        [sets, { kind: 'NS', elementId: 0, number }],
      ] as const) {
        const columns = [...plan, { attribute: 'x', type }];
        const { taken, left } = checkLane(Buffer.from(lines), columns, key);
        expect(taken + left.length).toBe(texts.length);
        if (type.kind === 'N' && number.type === 'decimal' && number.scale === 18) {
          expect(taken).toBeGreaterThan(5);
        }
      }
    }
  });

  it('forgets the old images of changes that it leaves', () => {
    const old = `{"pk":{"S":"p"},"sk":{"N":"1"},"s":{"S":"${'x'.repeat(100_000)}"}}`;
    const odd = `${at},${keysOf('p')},"OldImage":${old},"NewImage":{"pk":{"S":"p"},"sk":{"N":"1"},"new":{"S":"x"}}`;
    const lane = new ScanLane();
    lane.setPlan({ types: scanTypes(plan, key), key }, 'changes');
    const block = changes(...Array.from({ length: 10 }, () => odd));
    let left = 0;
    for (let i = 0; i < 60; i++) lane.scan(block, () => left++);
    expect(left).toBe(600);
    expect(lane.home.memory.buffer.byteLength).toBeLessThan(40 * 1024 * 1024);
  });

  it('gives back the room of columns that were large in turn', () => {
    const names = Array.from({ length: 12 }, (_, i) => `wide${i}`);
    const columns = [
      ...emptyPlan,
      ...names.map((attribute) => ({ attribute, type: types[0]![1] })),
    ];
    const lane = new ScanLane();
    lane.setPlan({ types: scanTypes(columns, key), key });
    for (const name of names) {
      const block = Buffer.from(lineOf(`,"${name}":{"S":"${'x'.repeat(390_000)}"}`).repeat(60));
      expect(lane.scan(block, () => undefined)).toBe(60);
      const { rows } = lane.finish();
      expect(rows.n).toBe(60);
      lane.reset();
    }
    expect(lane.home.memory.buffer.byteLength).toBeLessThan(400 * 1024 * 1024);
  });

  it('takes a line without a newline at the end of a block', () => {
    const text = lineOf('').repeat(2).slice(0, -1);
    expect(checkLane(Buffer.from(text), plan, key)).toEqual({ taken: 2, left: [] });
  });

  it('goes on behind a line that it left, with nothing of it in the columns', () => {
    const usual = lineOf(
      ',"l":{"L":[{"S":"a"}]},"n":{"N":"5"},"ss":{"SS":["b","a"]},"m":{"M":{"x":{"N":"3"}}}',
    );
    const odd = lineOf(
      ',"l":{"L":[{"S":"a"},{"S":"b"}]},"n":{"N":"5"},"s":{"NULL":true},"ss":{"SS":["d","c"]},"m":{"M":{"x":{"N":"3"},"z":{"S":"late"}}}',
    );
    const block = Buffer.from(odd + usual + odd + odd + usual + usual);
    expect(checkLane(block, plan, key)).toEqual({ taken: 3, left: [0, 2, 3] });
  });

  it('takes nearly all orders of the example table', () => {
    const items = orders(3000);
    const chosen = typesOf(items, mystoreKey);
    const { taken, left } = checkLane(linesOf(items), chosen, mystoreKey);
    expect(left.length).toBeLessThan(taken / 20);
  });

  it('takes any items as the scanner takes them, under any columns', () => {
    fc.assert(
      fc.property(anyItems, anyItems, (items, others) => {
        for (const chosen of [emptyPlan, typesOf(items), typesOf(others)]) {
          checkLane(linesOf(items), chosen, key);
        }
      }),
      { numRuns: 40 },
    );
  });

  it.each(keyShapes)('takes wild items with key %s as the scanner takes them', (shape) => {
    const wild = wildKey(shape);
    const random = new Random(11, shape);
    const items = Array.from({ length: 60 }, (_, i) => wildItem(shape, i, i, random));
    for (const chosen of [planTypes(wild, new Map()), typesOf(items, wild)]) {
      checkLane(linesOf(items), chosen, wild);
    }
  });

  it('takes no line that the scanner refuses, whichever byte is altered', () => {
    const items = orders(40);
    const chosen = typesOf(items, mystoreKey);
    const lines = Buffer.from(linesOf(items));
    fc.assert(
      fc.property(fc.nat({ max: lines.length - 1 }), byteOf, (place, byte) => {
        const altered = Buffer.from(lines);
        altered[place] = byte;
        checkLane(altered, chosen, mystoreKey);
      }),
      { numRuns: 300 },
    );
  });

  it('takes inserts, updates and deletes, with and without old images', () => {
    const block = changes(
      `${at},${keysOf('p')},"NewImage":${image}`,
      `${at},${keysOf('p')},"OldImage":${image},"NewImage":${image}`,
      `${at},${keysOf('p')},"OldImage":${image}`,
      `${at},${keysOf('gone')}`,
      `${at},"Keys":{"sk":{"N":"1"},"pk":{"S":"p"}},"NewImage":${image}`,
    );
    expect(checkLane(block, plan, key, 'changes')).toEqual({ taken: 5, left: [] });
  });

  it.each([
    ['an instant as bare text', `"Metadata":{"WriteTimestampMicros":"1"},${keysOf('p')}`],
    ['parts in another order', `${keysOf('p')},${at},"NewImage":${image}`],
    ['Keys unlike the new image', `${at},${keysOf('q')},"NewImage":${image}`],
    ['Keys unlike the old image', `${at},${keysOf('q')},"OldImage":${image}`],
    ['Keys without a key attribute', `${at},"Keys":{"pk":{"S":"p"}},"NewImage":${image}`],
    ['Keys with more than the key', `${at},"Keys":${image},"NewImage":${image}`],
    [
      'an instant of 17 digits',
      `"Metadata":{"WriteTimestampMicros":{"N":"17683876739171550"}},${keysOf('p')}`,
    ],
    [
      'an instant beyond what a number holds',
      `"Metadata":{"WriteTimestampMicros":{"N":"9007199254740992"}},${keysOf('p')}`,
    ],
    [
      'an old image with an unknown attribute',
      `${at},${keysOf('p')},"OldImage":{"pk":{"S":"p"},"sk":{"N":"1"},"zz":{"S":"x"}}`,
    ],
  ])('leaves a change with %s to the scanner', (_, record) => {
    const usual = `${at},${keysOf('p')},"OldImage":${image},"NewImage":${image}`;
    const block = changes(usual, record, usual);
    expect(checkLane(block, plan, key, 'changes')).toEqual({ taken: 2, left: [1] });
  });

  it('takes nearly all changes of the example table, far more than it keeps old images of', () => {
    const block = changedOrders(2000, 1500);
    const lines = block.toString().trimEnd().split('\n');
    const parsed = lines.map((line) => JSON.parse(line).NewImage).filter(Boolean);
    const chosen = typesOf(parsed.map(itemFromParsed), mystoreKey);
    const { taken, left } = checkLane(block, chosen, mystoreKey, 'changes');
    expect(taken).toBeGreaterThan(900);
    expect(left.length).toBeLessThan(taken / 10);
  });

  it('takes no change that the scanner refuses, whichever byte is altered', () => {
    const lines = changedOrders(60, 60);
    const parsed = lines.toString().trimEnd().split('\n');
    const images = parsed.map((line) => JSON.parse(line).NewImage).filter(Boolean);
    const chosen = typesOf(images.map(itemFromParsed), mystoreKey);
    fc.assert(
      fc.property(fc.nat({ max: lines.length - 1 }), byteOf, (place, byte) => {
        const altered = Buffer.from(lines);
        altered[place] = byte;
        checkLane(altered, chosen, mystoreKey, 'changes');
      }),
      { numRuns: 200 },
    );
  });
});
