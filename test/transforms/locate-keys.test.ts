// Keys found among rows of which only the key's columns are there, against a plain search.
// Promises: sorted or not, every row that has one of the keys is told once, and no other.
// Source: pipeline/simulator (canonicalKey), which knows nothing of comparable bytes.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { canonicalKey } from '../../pipeline/simulator/canonical.js';
import type { Item } from '../../pipeline/simulator/item.js';
import { locateSorted, locateUnsorted } from '../../transforms/locate-keys.js';
import { Rows } from '../../transforms/make-columns.js';
import { sortedOrder } from '../../transforms/sort-keys.js';
import { assignColumns } from '../../transforms/table-columns.js';
import { key, scanned, typesOf } from './any-items.js';

const anyKey = fc
  .tuple(
    fc.constantFrom('', 'a', 'ab', 'b', '\u0000', '\u0000\u0001', 'é', '\u{10000}'),
    fc.constantFrom('1', '1.0', '2.50', '-3', '1E125', '0', '-0.001', '10'),
  )
  .map(
    ([pk, sk]): Item =>
      new Map([
        ['pk', { S: `p${pk}` }],
        ['sk', { N: sk }],
      ]),
  );

const keys = fc
  .array(anyKey, { minLength: 1, maxLength: 40 })
  .map((items) => [...new Map(items.map((item) => [canonicalKey(item, key), item])).values()]);

function inOrder(rows: Rows, order: Int32Array): Rows {
  const out = new Rows(rows.types);
  out.take(rows, order);
  return out;
}

it('finds the rows that a search by canonical keys finds', () => {
  fc.assert(
    fc.property(keys, keys, (items, wanted) => {
      const types = typesOf([...items, ...wanted]);
      const table = assignColumns(types, key, () => undefined, null);
      // Number keys are scanned as text; a table may hold them as text too, and compares them by value.
      const { rows } = scanned(items, types);
      const columns = {
        key,
        columns: table.columns.map((field, i) => ({ ...field, type: rows.types[i]!.type })),
      };
      const searched = scanned(wanted, types).rows;
      const sortedKeys = inOrder(searched, sortedOrder(searched.keys));
      const wantedOrder = [...sortedOrder(searched.keys)];
      const rowOrder = [...sortedOrder(rows.keys)];
      const sortedRows = inOrder(rows, Int32Array.from(rowOrder));

      const expected = items
        .filter((item) => wanted.some((one) => canonicalKey(one, key) === canonicalKey(item, key)))
        .map((item) => canonicalKey(item, key))
        .sort();
      const found: string[] = [];
      const note = (item: Item, other: Item): void => {
        expect(canonicalKey(other, key)).toBe(canonicalKey(item, key));
        found.push(canonicalKey(item, key));
      };
      locateUnsorted({ columns: rows.columns, n: rows.n }, columns, sortedKeys.keys, (row, at) =>
        note(items[row]!, wanted[wantedOrder[at]!]!),
      );
      expect(found.sort()).toEqual(expected);
      found.length = 0;
      const { columns: inKeyOrder, n } = sortedRows;
      locateSorted(
        { columns: inKeyOrder, n },
        columns,
        sortedKeys.keys,
        0,
        sortedKeys.n,
        (row, at) => note(items[rowOrder[row]!]!, wanted[wantedOrder[at]!]!),
      );
      expect(found.sort()).toEqual(expected);
    }),
    { numRuns: 100 },
  );
});
