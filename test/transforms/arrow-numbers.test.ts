// Numbers in a file, read by arrow-rs into Apache Arrow and summed up by hand, not by our own reader.
// Promises: every decimal stands there as its whole 128-bit integer, every long as 64 bits, at the column's scale.
// Source: Apache Arrow, "Columnar format", fixed-width types: decimals are two's complement, little endian.

import { type Decimal, tableFromIPC } from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import type { AttributeValue } from '../../schemas/attribute.js';
import { adaptRows } from '../../transforms/adapt-rows.js';
import { assignColumns } from '../../transforms/table-columns.js';
import { arrowOf, encoded } from '../parquet/through-file.js';
import { key, scanned, typesOf } from './any-items.js';

/** Unscaled integers of the column `v`, and its scale. */
async function unscaledOf(texts: readonly (string | null)[]): Promise<{
  scale: number | null;
  values: (bigint | null)[];
}> {
  const items = texts.map((N, i) => {
    const item = new Map<string, AttributeValue>([
      ['pk', { S: 'p' }],
      ['sk', { N: String(i) }],
    ]);
    return N === null ? item : item.set('v', { N });
  });
  const table = assignColumns(typesOf(items), key, () => undefined, null);
  const rows = adaptRows(scanned(items, typesOf(items)).rows, table.columns, key);
  const column = tableFromIPC(await arrowOf(encoded(rows, table))).getChild('v')!;
  const values = texts.map((_, i): bigint | null => {
    const value: unknown = column.get(i);
    if (value === null || typeof value === 'bigint') return value;
    const words = value as Uint32Array;
    const bits = [...words].reduce(
      (sum, word, at) => sum | (BigInt(word >>> 0) << BigInt(32 * at)),
      0n,
    );
    return BigInt.asIntN(128, bits);
  });
  return { scale: (column.type as Partial<Decimal>).scale ?? null, values };
}

describe('numbers in a file', () => {
  it('of a long column stand as they are', async () => {
    const texts = [
      '0',
      '-1',
      '9223372036854775807',
      null,
      '-9223372036854775808',
      '4294967296',
      '-4294967297',
    ];
    expect(await unscaledOf(texts)).toEqual({
      scale: null,
      values: texts.map((text) => (text === null ? null : BigInt(text))),
    });
  });

  it('of a short decimal column fill all 128 bits, negative ones too', async () => {
    expect(
      await unscaledOf([
        '0.01',
        '-0.01',
        null,
        '9999999999999999.99',
        '-9999999999999999.99',
        '-42949672.97',
        '5',
      ]),
    ).toEqual({
      scale: 2,
      values: [1n, -1n, null, 999999999999999999n, -999999999999999999n, -4294967297n, 500n],
    });
  });

  it('of a long decimal column fill all 128 bits, negative ones too', async () => {
    const nines = '9'.repeat(36);
    expect(
      await unscaledOf([`${nines}.5`, `-${nines}.25`, '-0.01', null, '1E35', '-1E35', '3']),
    ).toEqual({
      scale: 2,
      values: [
        BigInt(`${nines}50`),
        -BigInt(`${nines}25`),
        -1n,
        null,
        10n ** 37n,
        -(10n ** 37n),
        300n,
      ],
    });
  });
});
