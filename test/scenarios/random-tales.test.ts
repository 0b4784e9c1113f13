// Random histories of small tables: any value in any attribute, windows, epochs, layouts. Seeded, so each run is the same.
// Promises: whatever the history, the lake gives back exactly the state of every instant it has stood for.
// Source: DESIGN.md, "Scan and type (lossless)"; TIDELAKE_TALES=100 in the environment runs more of them.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { differences, expectedItems, memoryWorld, StoryLake } from './story-world.js';
import { hour, Tale, type TaleKey } from './tale.js';

type Json = Readonly<Record<string, unknown>>;

const numbers = fc.constantFrom(
  ...['0', '1', '-7', '42', '2.5', '-0.25', '0.001', '1234567890123', '9223372036854775808'],
  ...['12345678901234567890123456789012345678', '1E125', '-1E-130', '0.1234567890123456789'],
);
const texts = fc.constantFrom('', 'x', 'é', '{"S":"x"}', '1', 'null', '\u0000', '😀', '~1/0');
const binaries = fc.constantFrom('', 'AA==', '/w==', 'AAEC');
const names = fc.constantFrom('a', 'b', 'A', 'x.y', '__proto__');

function object(entries: readonly (readonly [string, unknown])[]): Json {
  const made = Object.create(null) as Record<string, unknown>;
  for (const [name, value] of entries) {
    Object.defineProperty(made, name, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return made;
}

const values = fc.letrec<{ leaf: Json; any: Json }>((tie) => ({
  leaf: fc.oneof(
    { arbitrary: numbers.map((N) => ({ N })), weight: 4 },
    { arbitrary: texts.map((S) => ({ S })), weight: 2 },
    binaries.map((B) => ({ B })),
    fc.boolean().map((BOOL) => ({ BOOL })),
    fc.constant({ NULL: true }),
    fc.uniqueArray(texts, { minLength: 1, maxLength: 3 }).map((SS) => ({ SS })),
    fc.uniqueArray(numbers, { minLength: 1, maxLength: 3 }).map((NS) => ({ NS })),
    fc.uniqueArray(binaries, { minLength: 1, maxLength: 3 }).map((BS) => ({ BS })),
  ),
  any: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { arbitrary: tie('leaf'), weight: 4 },
    fc.array(tie('any'), { maxLength: 3 }).map((L) => ({ L })),
    fc
      .uniqueArray(fc.tuple(names, tie('any')), { maxLength: 3, selector: ([name]) => name })
      .map((entries) => ({ M: object(entries) })),
  ),
})).any;

const keyNumbers = ['0', '1', '-1', '2.5', '1E20', '-3.25', '1E100', '7', '12', '-40', '0.0001'];
const partitions = [null, 'bucket(pk, 3)', 'identity(pk)', 'truncate(pk, 2)'] as const;

function keyValue(tag: string, n: number): Json {
  if (tag === 'N') return { N: keyNumbers[n]! };
  if (tag === 'S') return { S: `k${n % 4}${['\u{10ffff}', '\uffff', 'é'][n % 3]}${n}` };
  return { B: Buffer.from([255 - n, n, 0].slice(n % 2)).toString('base64') };
}

const write = fc.record({
  n: fc.nat({ max: keyNumbers.length - 1 }),
  m: fc.nat({ max: 2 }),
  isDelete: fc.integer({ min: 0, max: 9 }).map((draw) => draw < 3),
  attributes: fc.uniqueArray(fc.tuple(names, values), { maxLength: 4, selector: ([name]) => name }),
});
const tales = fc.record({
  key: fc.constantFrom<TaleKey>(
    ['S'],
    ['N'],
    ['B'],
    ['S', 'N'],
    ['N', 'B'],
    ['B', 'S'],
    ['N', 'N'],
  ),
  partition: fc.constantFrom<string | null>(...partitions),
  files: fc.integer({ min: 1, max: 4 }),
  first: fc.array(write, { maxLength: 14 }),
  hours: fc.array(
    fc.record({
      writes: fc.array(write, { maxLength: 10 }),
      isEpoch: fc.integer({ min: 0, max: 5 }),
    }),
    { minLength: 1, maxLength: 5 },
  ),
});

it('come back exactly, whatever happened in them', { timeout: 600_000 }, async () => {
  const runs = Number(process.env.TIDELAKE_TALES ?? 15);
  const seed = Number(process.env.TIDELAKE_TALES_SEED ?? 20261101);
  await fc.assert(
    fc.asyncProperty(tales, async ({ key, partition, files, first, hours }) => {
      const lake = new StoryLake(memoryWorld('random'));
      const tale = new Tale(lake, { key });
      const act = (h: number, list: typeof first): void => {
        list.forEach(({ n, m, isDelete, attributes }, i) => {
          const keys: [string, unknown][] = [['pk', keyValue(key[0], n)]];
          if (key.length === 2) keys.push(['sk', keyValue(key[1], (n + m) % keyNumbers.length)]);
          if (isDelete) tale.delete(h, object(keys), i + 1);
          else tale.put(h, object([...attributes, ...keys]), i + 1);
        });
      };
      const holds = async (h: number, asOf?: string): Promise<void> => {
        const found = await lake.items(asOf);
        const expected = expectedItems(tale.table, hour(h));
        expect(differences(found, expected)).toEqual({ missing: [], extra: [] });
        expect(found).toHaveLength(expected.length);
      };
      act(-1, first);
      const how = { key: tale.keyNames, ...(partition === null ? {} : { partition }) };
      await lake.load(await tale.full(0, { files }), how);
      await holds(0);
      for (const [h, { writes, isEpoch }] of hours.entries()) {
        act(h, writes);
        const [report] = await lake.merge(await tale.window(h, h + 1, { files }));
        expect(report).toMatchObject({ action: 'applied', error: null });
        if (isEpoch === 0) await lake.load(await tale.full(h + 1, { files }));
        await holds(h + 1);
      }
      for (let h = 0; h <= hours.length; h++) await holds(h, new Date(hour(h)).toISOString());
    }),
    { numRuns: runs, seed, endOnFailure: process.env.TIDELAKE_TALES === undefined },
  );
});
