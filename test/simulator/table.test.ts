// A simulated table's states, and the net changes of its windows.
// Checked against hand-written records, for both views.
// Source: Amazon DynamoDB Developer Guide, "DynamoDB table exports, output format".

import { describe, expect, it } from 'vitest';
import { type Item, incrementalExport, SimulatedTable } from '../../pipeline/simulator/index.js';
import type { AttributeValue } from '../../schemas/attribute.js';
import { TestStore } from './memory-store.js';
import { readExport } from './read-export.js';

const t0 = Date.UTC(2026, 10, 1);
const t1 = t0 + 3_600_000;
const second = 1_000_000;

function keys(id: string): Item {
  return new Map<string, AttributeValue>([['id', { S: id }]]);
}
function item(id: string, value: number): Item {
  return new Map<string, AttributeValue>([
    ['id', { S: id }],
    ['value', { N: String(value) }],
  ]);
}
function newTable(): SimulatedTable {
  return new SimulatedTable({ name: 'orders', key: [{ name: 'id', tag: 'S' }], seed: 1 });
}

async function recordsOf(
  table: SimulatedTable,
  view: 'NEW_IMAGE' | 'NEW_AND_OLD_IMAGES',
  fromMs = t0,
  toMs = t1,
) {
  const store = new TestStore();
  const written = await incrementalExport({
    table,
    store,
    folderUri: 's3://b',
    files: 2,
    fromMs,
    toMs,
    view,
  });
  return readExport(store, written.folderUri, 's3://b')
    .lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    .sort((a, b) => JSON.stringify(a.Keys).localeCompare(JSON.stringify(b.Keys)));
}
const time = (micros: number) => ({ WriteTimestampMicros: { N: String(micros) } });
const json = (id: string, value: number) => ({ id: { S: id }, value: { N: String(value) } });

describe('a table with a past', () => {
  it('holds at an instant what was written before it, not at it', () => {
    const table = newTable();
    table.put(100, item('a', 1));
    table.put(200, item('a', 2));
    table.delete(300, keys('a'));
    expect(table.stateAt(100).size).toBe(0);
    expect([...table.stateAt(101).values()]).toEqual([item('a', 1)]);
    expect([...table.stateAt(200).values()]).toEqual([item('a', 1)]);
    expect([...table.stateAt(300).values()]).toEqual([item('a', 2)]);
    expect(table.stateAt(301).size).toBe(0);
    expect(table.countAt(300)).toBe(1);
  });

  it('does not care in which order the writes are told', () => {
    const table = newTable();
    table.delete(300, keys('a'));
    table.put(200, item('a', 2));
    table.put(100, item('a', 1));
    expect([...table.itemsAt(150)]).toEqual([item('a', 1)]);
    expect([...table.itemsAt(400)]).toEqual([]);
  });

  it('knows equal number keys in different writing as one item', () => {
    const table = new SimulatedTable({ name: 'n', key: [{ name: 'id', tag: 'N' }] });
    table.put(1, new Map([['id', { N: '1' }]]));
    table.put(2, new Map([['id', { N: '1.0' }]]));
    expect(table.countAt(10)).toBe(1);
  });

  it('refuses an item without its key', () => {
    expect(() => newTable().put(1, new Map())).toThrow('REFUSED_KEY');
    expect(() => newTable().put(1, new Map([['id', { N: '1' }]]))).toThrow('REFUSED_KEY');
  });

  it('has a tableId by its seed', () => {
    expect(newTable().tableId).toBe(newTable().tableId);
    expect(newTable().tableId).not.toBe(
      new SimulatedTable({ name: 'orders', key: [], seed: 2 }).tableId,
    );
  });
});

describe('the net changes of a window', () => {
  const from = t0 * 1000;
  const past = () => {
    const table = newTable();
    for (const id of ['deleted', 'reinserted', 'untouched', 'updated', 'twice deleted'])
      table.put(from - 5 * second, item(id, 1));
    table.put(from, item('at start', 1));
    table.put(t1 * 1000, item('at end', 1));
    table.put(t1 * 1000 - 1, item('before end', 1));
    table.put(from + second, item('updated', 2));
    table.put(from + 2 * second, item('updated', 3));
    table.delete(from + second, keys('deleted'));
    table.delete(from + second, keys('twice deleted'));
    table.delete(from + 9 * second, keys('twice deleted'));
    table.delete(from + second, keys('reinserted'));
    table.put(from + 3 * second, item('reinserted', 4));
    table.put(from + second, item('brief', 1));
    table.delete(from + 2 * second, keys('brief'));
    table.delete(from + second, keys('never there'));
    return table;
  };

  it('are one record per key with both images, each at its end of the window', async () => {
    expect(await recordsOf(past(), 'NEW_AND_OLD_IMAGES')).toEqual([
      { Metadata: time(from), Keys: { id: { S: 'at start' } }, NewImage: json('at start', 1) },
      {
        Metadata: time(t1 * 1000 - 1),
        Keys: { id: { S: 'before end' } },
        NewImage: json('before end', 1),
      },
      {
        Metadata: time(from + second),
        Keys: { id: { S: 'deleted' } },
        OldImage: json('deleted', 1),
      },
      {
        Metadata: time(from + 3 * second),
        Keys: { id: { S: 'reinserted' } },
        OldImage: json('reinserted', 1),
        NewImage: json('reinserted', 4),
      },
      {
        Metadata: time(from + second),
        Keys: { id: { S: 'twice deleted' } },
        OldImage: json('twice deleted', 1),
      },
      {
        Metadata: time(from + 2 * second),
        Keys: { id: { S: 'updated' } },
        OldImage: json('updated', 1),
        NewImage: json('updated', 3),
      },
    ]);
  });

  it('have no old image, and deletions no image at all, under NEW_IMAGE', async () => {
    expect(await recordsOf(past(), 'NEW_IMAGE')).toEqual([
      { Metadata: time(from), Keys: { id: { S: 'at start' } }, NewImage: json('at start', 1) },
      {
        Metadata: time(t1 * 1000 - 1),
        Keys: { id: { S: 'before end' } },
        NewImage: json('before end', 1),
      },
      { Metadata: time(from + second), Keys: { id: { S: 'deleted' } } },
      {
        Metadata: time(from + 3 * second),
        Keys: { id: { S: 'reinserted' } },
        NewImage: json('reinserted', 4),
      },
      { Metadata: time(from + second), Keys: { id: { S: 'twice deleted' } } },
      {
        Metadata: time(from + 2 * second),
        Keys: { id: { S: 'updated' } },
        NewImage: json('updated', 3),
      },
    ]);
  });

  it('are an insert and then a deletion when a window edge falls between the two', async () => {
    const at = t0 + 2000;
    const first = await recordsOf(past(), 'NEW_AND_OLD_IMAGES', t0, at);
    const next = await recordsOf(past(), 'NEW_AND_OLD_IMAGES', at, t1);
    const brief = (records: Record<string, unknown>[]) =>
      records.filter((r) => JSON.stringify(r.Keys).includes('brief'));
    expect(brief(first)).toEqual([
      { Metadata: time(from + second), Keys: { id: { S: 'brief' } }, NewImage: json('brief', 1) },
    ]);
    expect(brief(next)).toEqual([
      {
        Metadata: time(from + 2 * second),
        Keys: { id: { S: 'brief' } },
        OldImage: json('brief', 1),
      },
    ]);
  });
});
