// Which files' row groups may be copied into a file that is written now.
// Source: apache/parquet-format, "Metadata" (one schema for all row groups of a file).

import { expect, it } from 'vitest';
import { liveFiles } from '../../pipeline/lake/iceberg/live-files.js';
import { currentSnapshot } from '../../pipeline/lake/iceberg/metadata.js';
import { type ParquetFooter, readFooter } from '../../pipeline/lake/parquet/footer.js';
import { MemoryStore } from '../../pipeline/local/memory-store.js';
import { hasColumns } from '../../pipeline/merge/write-merge.js';
import type { Field, TableColumns } from '../../schemas/columns.js';
import { readColumns } from '../../transforms/column-map.js';
import { StoryLake, worldOver } from '../scenarios/story-world.js';
import { Tale } from '../scenarios/tale.js';

/** A table with every kind of nesting, and the footer of its one file. */
async function written(): Promise<{ footer: ParquetFooter; table: TableColumns }> {
  const lake = new StoryLake(worldOver(new MemoryStore(), { seed: 'columns' }));
  const tale = new Tale(lake);
  tale.put(-1, {
    pk: { S: 'k' },
    n: { N: '1' },
    tags: { SS: ['a', 'b'] },
    lines: { L: [{ M: { sku: { S: 'x' }, qty: { N: '2' } } }] },
    address: { M: { city: { S: 'Ulm' }, geo: { M: { lat: { N: '48.4' } } } } },
  });
  await lake.load(await tale.full(0), { key: ['pk'] });
  const { md, location } = await lake.open();
  const { data } = await liveFiles(lake.world.store, md, currentSnapshot(md), location);
  const { path, fileSizeBytes } = data[0]!.file;
  const footer = await readFooter(
    (start, end) => lake.world.store.read(path, { start, end }),
    Number(fileSizeBytes),
    path,
  );
  return { footer, table: readColumns(md, md['current-schema-id']) };
}

/** The table with one column changed. */
function edited(table: TableColumns, name: string, edit: (field: Field) => Field): TableColumns {
  return { ...table, columns: table.columns.map((one) => (one.name === name ? edit(one) : one)) };
}

it('are those with the same columns, by id and by name, in the same order', async () => {
  const { footer, table } = await written();
  expect(hasColumns(footer, table)).toBe(true);
  const renamed = edited(table, 'n', (field) => ({ ...field, name: 'm' }));
  expect(hasColumns(footer, renamed)).toBe(false);
  const nested = edited(table, 'address', (field) => {
    if (field.type.kind !== 'M') throw new Error('address is a struct');
    const fields = field.type.fields.map((one) =>
      one.name === 'city' ? { ...one, name: 'town' } : one,
    );
    return { ...field, type: { ...field.type, fields } };
  });
  expect(hasColumns(footer, nested)).toBe(false);
  const moved = { ...table, columns: table.columns.toReversed() };
  expect(hasColumns(footer, moved)).toBe(false);
  const fewer = { ...table, columns: table.columns.slice(1) };
  expect(hasColumns(footer, fewer)).toBe(false);
});
