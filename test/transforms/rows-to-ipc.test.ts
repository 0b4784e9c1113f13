// Rows as an Arrow stream, against what Apache Arrow itself makes of it.

import { tableFromIPC, tableToIPC } from 'apache-arrow';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ColumnType, TableColumns } from '../../schemas/columns.js';
import { ipcToRows } from '../../transforms/arrow-rows.js';
import { Rows, type TypedAttribute } from '../../transforms/make-columns.js';
import { packRows } from '../../transforms/pack-rows.js';
import { rowsToIpc } from '../../transforms/rows-to-ipc.js';
import { anyTypes, rowsOf } from './kernel/any-rows.js';

/** The types with ids of their own, as columns of a table without a key. */
function tableOf(types: readonly TypedAttribute[]): TableColumns {
  let id = 0;
  const withIds = (type: ColumnType): ColumnType => {
    switch (type.kind) {
      case 'SS':
      case 'BS':
      case 'NS':
        return { ...type, elementId: ++id };
      case 'L':
        return { ...type, elementId: ++id, element: withIds(type.element) };
      case 'MAP':
        return { ...type, keyId: ++id, valueId: ++id, value: withIds(type.value) };
      case 'M':
        return {
          ...type,
          fields: type.fields.map((field) => ({
            ...field,
            id: ++id,
            type: withIds(field.type),
          })),
        };
      default:
        return type;
    }
  };
  const columns = types.map(({ attribute, type }) => ({
    id: ++id,
    name: attribute,
    attribute,
    type: withIds(type),
  }));
  const own = {
    writtenAt: ++id,
    nulls: ++id,
    nullsElement: ++id,
    misfits: ++id,
    misfitsKey: ++id,
    misfitsValue: ++id,
  };
  return { columns, own, key: [], extents: new Map(), lastId: id };
}

const seeds = fc.integer({ min: 1, max: 2 ** 31 - 1 });
const nullsOf = fc.constantFrom(0, 3, 10);
const noKey = (): Uint8Array => new Uint8Array(0);

describe('rows as an Arrow stream', () => {
  it('are byte for byte the stream that Apache Arrow writes when it has read them', () => {
    fc.assert(
      fc.property(
        anyTypes,
        fc.integer({ min: 0, max: 40 }),
        seeds,
        nullsOf,
        (types, n, seed, absent) => {
          const table = tableOf(types);
          const ipc = rowsToIpc(rowsOf(table.columns, n, seed, absent, noKey), table);
          expect(Buffer.compare(ipc, tableToIPC(tableFromIPC(ipc), 'stream'))).toBe(0);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('are all there when they are read back', () => {
    fc.assert(
      fc.property(
        anyTypes,
        fc.integer({ min: 1, max: 40 }),
        seeds,
        nullsOf,
        (types, n, seed, absent) => {
          const table = tableOf(types);
          const rows = rowsOf(table.columns, n, seed, absent, noKey);
          const back = ipcToRows(rowsToIpc(rows, table), table);
          // Keys and lives are not in the stream.
          const whole = new Rows(table.columns, back.columns, {
            ...back,
            keys: rows.keys,
            lives: rows.lives,
          });
          expect(Buffer.compare(packRows(whole), packRows(rows))).toBe(0);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('of a range are those of its rows alone, wherever they are written to', () => {
    const cuts = fc.tuple(fc.nat(40), fc.nat(40));
    fc.assert(
      fc.property(anyTypes, cuts, seeds, nullsOf, (types, cut, seed, absent) => {
        const table = tableOf(types);
        const rows = rowsOf(table.columns, 40, seed, absent, noKey);
        const [start, end] = [Math.min(...cut), Math.max(...cut)];
        const alone = new Rows(table.columns);
        alone.appendRange(rows, start, end);
        const expected = rowsToIpc(alone, table);
        const room = new Uint8Array(seed % 2 === 0 ? 1 << 20 : 100).fill(0xa5);
        const ipc = rowsToIpc(rows, table, { start, end, room });
        expect(Buffer.compare(ipc, expected)).toBe(0);
        expect(ipc.buffer === room.buffer).toBe(expected.length <= room.length);
      }),
      { numRuns: 100 },
    );
  });
});
