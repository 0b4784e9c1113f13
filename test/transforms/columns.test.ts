// Moving bytes between columns: by words, in any order, and straight from the text of a block.

import { describe, expect, it } from 'vitest';
import { BytesColumn } from '../../transforms/columns.js';
import { Rows } from '../../transforms/make-columns.js';
import { NameTable } from '../../transforms/name-table.js';
import { packOrdered, packRows, unpackRows } from '../../transforms/pack-rows.js';
import { ItemScanner } from '../../transforms/scan-items.js';

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

function texts(column: BytesColumn): string[] {
  return Array.from({ length: column.n }, (_, row) =>
    Buffer.from(column.data.subarray(column.offsets[row]!, column.offsets[row + 1]!)).toString(),
  );
}

describe('text taken from a block', () => {
  it('is taken up to the quote at every length and every place in the block', () => {
    for (let before = 0; before < 5; before++) {
      for (let length = 0; length < 40; length++) {
        const text = 'äbcdefghijklmnopqrstuvwxyz0123456789'.repeat(2).slice(0, length);
        const block = Buffer.from(`${' '.repeat(before)}${text}"`);
        const column = new BytesColumn();
        expect(column.pushText(block, viewOf(block), before)).toBe(block.length - 1);
        expect(texts(column)).toEqual([text]);
      }
    }
  });

  it('stops at every byte that needs care, wherever it stands, and then adds nothing', () => {
    for (const special of [0, 9, 10, 31, 92]) {
      for (let at = 0; at < 20; at++) {
        const block = Buffer.from(`${'x'.repeat(at)}${String.fromCharCode(special)}yyyyyyyy"`);
        const column = new BytesColumn();
        expect(column.pushText(block, viewOf(block), 0)).toBe(at);
        expect(column.n).toBe(0);
      }
    }
  });

  it('goes past bytes that only look special in a word', () => {
    const text = Buffer.from([
      0x20, 0x21, 0x23, 0x5b, 0x5d, 0x7f, 0xc2, 0xa0, 0xe2, 0x80, 0xa8, 0x20,
    ]);
    const block = Buffer.concat([text, Buffer.from('"')]);
    const column = new BytesColumn();
    expect(column.pushText(block, viewOf(block), 0)).toBe(text.length);
    expect(texts(column)).toEqual([text.toString()]);
  });

  it('is whole when it is longer than any room kept for it', () => {
    const text = 'z'.repeat(100_000);
    const block = Buffer.from(`short"${text}"`);
    const column = new BytesColumn();
    column.pushText(block, viewOf(block), 0);
    column.pushText(block, viewOf(block), 6);
    expect(texts(column)).toEqual(['short', text]);
  });

  it('is not taken when the block ends before the quote', () => {
    const block = Buffer.from('never ended');
    const column = new BytesColumn();
    expect(column.pushText(block, viewOf(block), 0)).toBe(block.length);
    expect(column.n).toBe(0);
  });
});

describe('rows packed in an order', () => {
  it('are the rows that the order names, nested values and absent ones among them', () => {
    const items = Array.from({ length: 50 }, (_, i) => ({
      id: { S: `client-${'#'.repeat(i % 300)}${i}` },
      ...(i % 3 === 0 ? {} : { n: { N: String(i * 7) } }),
      ...(i % 4 === 0 ? { flag: { BOOL: i % 8 === 0 } } : {}),
      lines: { L: Array.from({ length: i % 5 }, (_, j) => ({ M: { sku: { S: `s${i}-${j}` } } })) },
    }));
    const scanner = new ItemScanner({
      key: [{ name: 'id', tag: 'S' }],
      types: [
        { attribute: 'id', type: { kind: 'S' } },
        { attribute: 'n', type: { kind: 'N', number: { type: 'long' } } },
        { attribute: 'flag', type: { kind: 'BOOL' } },
        {
          attribute: 'lines',
          type: {
            kind: 'L',
            elementId: 8,
            element: {
              kind: 'M',
              fields: [{ id: 9, name: 'sku', attribute: 'sku', type: { kind: 'S' } }],
            },
          },
        },
      ],
    });
    scanner.scanItems(
      Buffer.from(items.map((item) => `${JSON.stringify({ Item: item })}\n`).join('')),
    );
    const { rows } = scanner.finish();
    const order = Int32Array.from([49, 3, 3, 0, 17, 48, 12, 1]);
    const packed = unpackRows(rows.types, packOrdered(rows, order));
    expect(texts(packed.columns[0] as BytesColumn)).toEqual(
      [...order].map((row) => items[row]!.id.S),
    );
    const moved = new Rows(rows.types);
    moved.take(rows, order);
    expect(Buffer.from(packOrdered(rows, order)).equals(Buffer.from(packRows(moved)))).toBe(true);
  });
});

describe('names guessed from what came before', () => {
  it('finds every name whatever order they come in, and no other', () => {
    const names = ['a', 'b', 'ab', 'clientid', 'with "quotes"', 'ünïcode'];
    const table = new NameTable(names);
    let last = -1;
    for (const name of ['clientid', 'a', 'b', 'clientid', 'b', 'a', 'ünïcode', 'clientid', 'a']) {
      const json = Buffer.from(`${JSON.stringify(name)}:`);
      const guess = table.guess(json, 0, last);
      const text = Buffer.from(name);
      const found = guess >= 0 ? guess : table.find(text, 0, text.length, last);
      expect(names[found]).toBe(name);
      last = found;
    }
    const other = Buffer.from('"clientid2":');
    expect(table.guess(other, 0, last)).toBe(-1);
    expect(table.find(other, 1, 10, last)).toBe(-1);
  });
});
