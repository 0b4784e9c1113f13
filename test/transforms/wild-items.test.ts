// The simulator's wild items through scan, columns and files, for every shape of key.
// Promises: what breaks careless readers (names, depths, sizes, numbers, mixed kinds) comes back exact.
// Source: Amazon DynamoDB Developer Guide, "Supported data types and naming rules" and "Quotas".

import { describe, expect, it } from 'vitest';
import { Random } from '../../pipeline/simulator/random.js';
import { keyShapes, wildItem, wildKey } from '../../pipeline/simulator/wild.js';
import { adaptRows } from '../../transforms/adapt-rows.js';
import { Rows } from '../../transforms/make-columns.js';
import { numberExtents, planTypes } from '../../transforms/plan-types.js';
import { sortedOrder } from '../../transforms/sort-keys.js';
import { assignColumns } from '../../transforms/table-columns.js';
import { throughFile } from '../parquet/through-file.js';
import { canonical, linesOf, scannerOf, statsOf, typesOf, writtenBack } from './any-items.js';

describe('wild items', () => {
  it.each(keyShapes)('with key %s come back exact, sorted by key', async (shape) => {
    const key = wildKey(shape);
    const random = new Random(7, shape);
    const items = Array.from({ length: 45 }, (_, i) => wildItem(shape, i, i, random));
    const types = typesOf(items, key);
    const table = assignColumns(types, key, numberExtents(statsOf(items)), null);
    const plans = [planTypes(key, new Map()), typesOf(items.slice(0, 20), key), types];
    for (const plan of plans) {
      const scanner = scannerOf(plan, key);
      scanner.scanItems(linesOf(items));
      const { rows } = scanner.finish();
      const adapted = adaptRows(rows, table.columns, key);
      const order = sortedOrder(adapted.keys);
      const sorted = new Rows(adapted.types);
      sorted.take(adapted, order);
      const expected = canonical([...order].map((i) => items[i]!));
      expect(writtenBack(sorted)).toEqual(expected);
      const back = await throughFile(sorted, table);
      expect(writtenBack(back)).toEqual(expected);
      expect(back.keys.data.slice(0, back.keys.length)).toEqual(
        sorted.keys.data.slice(0, sorted.keys.length),
      );
    }
  });
});
