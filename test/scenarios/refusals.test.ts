// What is refused: with its code, the next command, and a lake that is byte for byte as it was.
// Promises: a refusal writes nothing; what a person accepts is recorded; no message carries content of items.
// Source: DESIGN.md, "The table: Apache Iceberg v2" (window rule, two explicit ways out); docs/reference/errors.md.

import { beforeEach, describe, expect, it } from 'vitest';
import { TidelakeError } from '../../pipeline/index.js';
import { FilesCatalog } from '../../pipeline/lake/files-catalog.js';
import {
  parseTableMetadata,
  serializeTableMetadata,
} from '../../pipeline/lake/iceberg/metadata.js';
import { buildSnapshot } from '../../pipeline/lake/iceberg/snapshot-builder.js';
import { canonicalItem } from '../../pipeline/simulator/index.js';
import type { TableMetadata } from '../../schemas/iceberg.js';
import { contents, database, expectedItems, memoryWorld, StoryLake } from './story-world.js';
import { hour, Tale } from './tale.js';

/** Stands in every value, attribute name and key of the tale: none of it may show in a message. */
const canary = 'CANARY';
let lake: StoryLake;
let tale: Tale;

function item(n: number): object {
  return {
    pk: { S: `${canary}-${n}` },
    [`${canary}_name`]: { S: `${canary} text` },
    map: { M: { [`${canary}_inner`]: { L: [{ S: canary }, { N: '4242424242' }] } } },
  };
}

beforeEach(async () => {
  lake = new StoryLake(memoryWorld('refusals'));
  tale = new Tale(lake);
  for (let n = 0; n < 5; n++) tale.put(-1, item(n));
  for (let h = 0; h < 6; h++) tale.put(h, item(10 + h));
  await tale.load(0);
  await tale.merge(0);
});

/** Runs what must be refused; the lake's objects must be the same before and after. Returns the error. */
async function refused(run: () => Promise<unknown>): Promise<TidelakeError> {
  const { store } = lake.world;
  const before = await contents(store, lake.lake);
  let error: unknown = null;
  try {
    const result = await run();
    if (Array.isArray(result)) error = errorOf(result);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(TidelakeError);
  expect(await contents(store, lake.lake)).toEqual(before);
  const { code, what, meaning, next, message } = error as TidelakeError;
  expect(`${what} ${meaning} ${next} ${message}`).not.toMatch(/CANARY|4242424242/);
  expect([what, meaning, next]).not.toContain('');
  expect((error as TidelakeError).exitCode).toBe(code.startsWith('REFUSED_') ? 3 : 2);
  return error as TidelakeError;
}

function errorOf(
  reports: readonly { readonly error: TidelakeError['code'] | object | null }[],
): unknown {
  const facts = reports.find((report) => report.error !== null)?.error;
  return facts === undefined
    ? null
    : new TidelakeError(facts as ConstructorParameters<typeof TidelakeError>[0]);
}

async function gaps(): Promise<readonly { readonly kind: string }[]> {
  return (await lake.open()).state.gaps;
}

describe('windows that do not continue the lake', () => {
  it('refuses a window after a gap, names the missing stretch, and goes on once it is filled', async () => {
    const error = await refused(async () => lake.merge(await tale.window(2)));
    expect(error.code).toBe('REFUSED_GAP');
    expect(error.what).toContain('2026-11-01T01:00:00.000Z');
    expect(error.what).toContain('2026-11-01T02:00:00.000Z');
    expect((await tale.merge(1)).action).toBe('applied');
    expect((await tale.merge(2)).action).toBe('applied');
    expect(await lake.items()).toEqual(expectedItems(tale.table, hour(3)));
  });

  it('records an accepted gap until the next epoch, and closes it for windows that come later', async () => {
    const [report] = await lake.merge(await tale.window(2), { gap: true });
    expect(report!.action).toBe('applied');
    expect(await gaps()).toEqual([{ fromMs: hour(1), toMs: hour(2), kind: 'gap' }]);
    for (const [from, to] of [
      [1, 2],
      [1, 3],
      [0, 2],
    ] as const) {
      const error = await refused(async () => lake.merge(await tale.window(from, to)));
      expect(error.code).toBe('REFUSED_GAP_CLOSED');
    }
    expect((await tale.merge(3)).action).toBe('applied');
    expect(await gaps()).toHaveLength(1);
    await tale.load(4);
    expect(await gaps()).toEqual([]);
    expect(await lake.items()).toEqual(expectedItems(tale.table, hour(4)));
  });

  it('refuses every overlap that is no window of the chain', async () => {
    await tale.merge(1);
    for (const [from, to] of [
      [1, 3],
      [0, 3],
      [-1, 1],
      [-1, 3],
      [-2, 0],
    ] as const) {
      const error = await refused(async () => lake.merge(await tale.window(from, to)));
      expect({ from, to, code: error.code }).toEqual({ from, to, code: 'REFUSED_OVERLAP' });
    }
    expect((await tale.merge(0, 2)).action).toBe('known');
  });
});

describe('a full export inside a second', () => {
  beforeEach(async () => {
    const seamed = await tale.full(2, { plusMs: 350 });
    const report = await lake.load(seamed, { key: ['pk'] });
    expect(report.seam).toBe(true);
  });

  it('is continued only by a person who accepts the seam, which is recorded', async () => {
    const error = await refused(async () => lake.merge(await tale.window(2)));
    expect(error.code).toBe('REFUSED_SEAM');
    const [report] = await lake.merge(await tale.window(2), { seam: true });
    expect(report!.action).toBe('applied');
    expect(await gaps()).toEqual([{ fromMs: hour(2), toMs: hour(2) + 350, kind: 'seam' }]);
    expect((await tale.merge(3)).action).toBe('applied');
    expect(await gaps()).toHaveLength(1);
    expect(await lake.items()).toEqual(expectedItems(tale.table, hour(4)));
  });

  it('does not take a gap for a seam', async () => {
    const error = await refused(async () => lake.merge(await tale.window(3), { seam: true }));
    expect(error.code).toBe('REFUSED_GAP');
  });
});

describe('exports of something else', () => {
  it('refuses another table id, for windows and for full exports, unless it is accepted', async () => {
    const other = new Tale(lake, { tableId: '11111111-2222-4333-8444-555555555555' });
    other.put(-1, item(77));
    other.put(1, item(78));
    const window = await refused(async () => lake.merge(await other.window(1)));
    expect(window.code).toBe('REFUSED_TABLE_ID');
    const uri = await other.full(2);
    const full = await refused(() => lake.load(uri, { key: ['pk'] }));
    expect(full.code).toBe('REFUSED_TABLE_ID');
    expect(full.next).toContain(other.table.tableId);
    await refused(() => lake.load(uri, { key: ['pk'], acceptTableId: 'another id' }));
    const report = await lake.load(uri, { key: ['pk'], acceptTableId: other.table.tableId });
    expect(report).toMatchObject({ action: 'loaded', epoch: 2, tableId: other.table.tableId });
    expect(await lake.items()).toEqual(expectedItems(other.table, hour(2)));
  });

  it('refuses the wrong kind of export, both ways', async () => {
    const full = await refused(async () => lake.merge(await tale.full(1)));
    expect(full.code).toBe('REFUSED_EXPORT_TYPE');
    const window = await refused(async () => lake.load(await tale.window(1)));
    expect(window.code).toBe('REFUSED_EXPORT_TYPE');
  });

  it('refuses an older full export unless it is to go back', async () => {
    tale.put(-5, item(99));
    const uri = await tale.full(-2);
    const error = await refused(() => lake.load(uri));
    expect(error.code).toBe('REFUSED_OLDER');
    expect(error.next).toContain('--rewind');
    expect(await lake.load(uri, { rewind: true })).toMatchObject({ action: 'loaded', epoch: 2 });
    expect(await lake.items()).toEqual(expectedItems(tale.table, hour(-2)));
  });

  it('goes back to the full export the epoch began with, when told to, and only then', async () => {
    const uri = await tale.full(0);
    expect(await lake.load(uri)).toMatchObject({ action: 'nothing', epoch: 1 });
    expect(await lake.load(uri, { rewind: true })).toMatchObject({ action: 'loaded', epoch: 2 });
    expect(await lake.items()).toEqual(expectedItems(tale.table, hour(0)));
    expect(await lake.load(uri, { rewind: true })).toMatchObject({ action: 'nothing', epoch: 2 });
    expect((await tale.merge(0)).action).toBe('applied');
    expect(await lake.items()).toEqual(expectedItems(tale.table, hour(1)));
  });

  it('refuses windows for a table that is not there', async () => {
    const empty = new StoryLake(lake.world, 'file:///elsewhere');
    const uri = await tale.window(1);
    const error = await refused(() => empty.merge(uri));
    expect(error.code).toBe('REFUSED_NO_TABLE');
    expect(await contents(lake.world.store, empty.lake)).toEqual(new Map());
  });
});

describe('keys', () => {
  it('refuses a load without key names, and with names that are not the key', async () => {
    const fresh = new StoryLake(lake.world, 'file:///fresh');
    const uri = await tale.full(0);
    expect((await refused(() => fresh.load(uri))).code).toBe('REFUSED_KEY');
    expect((await refused(() => fresh.load(uri, { key: ['map'] }))).code).toBe('REFUSED_KEY');
    expect((await refused(() => fresh.load(uri, { key: ['absent'] }))).code).toBe('REFUSED_KEY');
    expect(await contents(lake.world.store, fresh.lake)).toEqual(new Map());
  });

  it('refuses key attributes that do not tell items apart', async () => {
    const fresh = new StoryLake(lake.world, 'file:///fresh');
    const uri = await tale.full(0);
    const error = await refused(() => fresh.load(uri, { key: [`${canary}_name`] }).catch(hideName));
    expect(['REFUSED_KEY', 'REFUSED_RECORD']).toContain(error.code);
    expect(await contents(lake.world.store, fresh.lake)).toEqual(new Map());
  });

  it('refuses another key for a table that has one', async () => {
    const uri = await tale.full(3);
    const error = await refused(() => lake.load(uri, { key: ['pk', 'map'] }));
    expect(error.code).toBe('REFUSED_KEY');
  });
});

/** Names a person gave with --key may be repeated in the message: only what they did not give is secret. */
function hideName(error: unknown): never {
  if (!(error instanceof TidelakeError)) throw error;
  const hide = (text: string): string => text.replaceAll(`${canary}_name`, 'the name given');
  throw new TidelakeError({
    code: error.code,
    what: hide(error.what),
    meaning: hide(error.meaning),
    next: hide(error.next),
  });
}

describe('tables that others had in hand', () => {
  async function republish(
    change: (md: TableMetadata) => TableMetadata | Promise<TableMetadata>,
  ): Promise<void> {
    const { store } = lake.world;
    const catalog = new FilesCatalog(store, lake.lake);
    const entry = (await catalog.current(database, 'tale'))!;
    const md = await change(parseTableMetadata(await store.read(entry.metadataUri)));
    expect(await catalog.commit(database, 'tale', entry, serializeTableMetadata(md))).toBe(
      'committed',
    );
  }

  async function foreignSnapshot(
    operation: 'overwrite' | 'append' | 'delete' | 'replace',
  ): Promise<void> {
    await republish(async (md) =>
      buildSnapshot({
        store: lake.world.store,
        md,
        location: md.location,
        ids: lake.world.ids,
        snapshotTimestampMs: hour(900),
        nowMs: hour(900),
        removed: new Set(),
        added: [],
        properties: {},
        summary: {},
        operation,
      }),
    );
  }

  it('refuses a table of a newer format, to write and to read', async () => {
    await republish((md) => ({ ...md, properties: { ...md.properties, 'tidelake.format': '2' } }));
    const uri = await tale.window(1);
    const full = await tale.full(2);
    expect((await refused(() => lake.merge(uri))).code).toBe('REFUSED_NEWER_FORMAT');
    expect((await refused(() => lake.load(full))).code).toBe('REFUSED_NEWER_FORMAT');
    expect((await refused(() => lake.items())).code).toBe('REFUSED_NEWER_FORMAT');
  });

  it.each(['overwrite', 'append', 'delete'] as const)(
    'refuses to merge after another writer changed rows (%s), and a new epoch heals it',
    async (operation) => {
      await foreignSnapshot(operation);
      const uri = await tale.window(1);
      expect((await refused(() => lake.merge(uri))).code).toBe('REFUSED_FOREIGN_WRITER');
      expect((await refused(() => lake.merge(lake.exportsUri))).code).toBe(
        'REFUSED_FOREIGN_WRITER',
      );
      await tale.load(2);
      expect((await tale.merge(2)).action).toBe('applied');
      expect(await lake.items()).toEqual(expectedItems(tale.table, hour(3)));
    },
  );

  it('loads the export of the epoch again after another writer, if going back is accepted', async () => {
    await foreignSnapshot('overwrite');
    const uri = await tale.full(0);
    expect((await refused(() => lake.load(uri))).code).toBe('REFUSED_OLDER');
    expect((await lake.load(uri, { rewind: true })).action).toBe('loaded');
    expect((await tale.merge(0)).action).toBe('applied');
    expect(await lake.items()).toEqual(expectedItems(tale.table, hour(1)));
  });

  it('goes on after a snapshot that only replaced files', async () => {
    await foreignSnapshot('replace');
    expect((await tale.merge(1)).action).toBe('applied');
    expect(await lake.items()).toEqual(expectedItems(tale.table, hour(2)));
  });
});

it('reports and notes say nothing of what stands in items', async () => {
  const said: string[] = [];
  const { world } = lake;
  const talking = new StoryLake(
    {
      ...world,
      reporter: {
        step: (name, total, unit) => {
          said.push(`${name} ${total} ${unit}`);
          return { advance: () => {}, done: () => {} };
        },
        note: (text) => said.push(text),
        warn: (text) => said.push(text),
      },
    },
    'file:///talking',
  );
  const loaded = await talking.load(await tale.full(0), { key: ['pk'] });
  const merged = await talking.merge([await tale.window(0), await tale.window(1)]);
  expect(merged.map(({ action }) => action)).toEqual(['applied', 'applied']);
  expect(await talking.items()).toEqual(expectedItems(tale.table, hour(2)));
  expect(canonicalItem([...tale.table.itemsAt(hour(2) * 1000)][0]!)).toContain(canary);
  expect([...said, JSON.stringify(loaded), JSON.stringify(merged)].join('\n')).not.toMatch(
    /CANARY|4242424242/,
  );
});
