// When a watermark may be believed although other programs write to the table too: lineage, counts, columns.
// Promises: every row-preserving history is accepted as long as it can be proved, and nothing else is.
// Source: apache/iceberg format/spec.md, "Snapshots" (operations); pipeline/lake/watermark.ts.
import { describe, expect, it } from 'vitest';
import { serializeTableMetadata } from '../../pipeline/lake/iceberg/metadata.js';
import type { SnapshotOptions } from '../../pipeline/lake/iceberg/snapshot-builder.js';
import {
  factsProperty,
  formatInstant,
  readLakeState,
  writeLakeState,
} from '../../pipeline/lake/lake-state.js';
import type { OpenTable } from '../../pipeline/lake/open-table.js';
import { checkWriter } from '../../pipeline/lake/watermark.js';
import type { IcebergField, TableMetadata } from '../../schemas/iceberg.js';
import { dataFile, emptyTable, hour, location, schema, start, TestLake } from './fixtures.js';

/** A column map that knows the three columns of the fixture's schema. */
const columns = JSON.stringify({
  lastId: 4,
  own: {},
  fields: {
    1: { attribute: 'client', kind: 'S' },
    2: { attribute: 'qty', kind: 'N' },
    3: { attribute: 'tags', kind: 'SS' },
  },
});

/** A table with two windows; each step's metadata is put into the store, as a catalog would, and logged by the next. */
class Story {
  readonly lake = new TestLake();
  md: TableMetadata = emptyTable();
  #versions = 0;

  uri(version: number): string {
    return `${location}/metadata/v${version}.metadata.json`;
  }

  async put(md: TableMetadata): Promise<void> {
    this.md = md;
    await this.lake.store.put(this.uri(++this.#versions), serializeTableMetadata(md));
  }

  /** A commit of Tidelake's: two hours of windows, ten rows each. */
  async window(n: number): Promise<bigint> {
    const snapshotId = this.lake.ids.snapshotId();
    const state = {
      epoch: 1,
      tableId: 't',
      tableArn: 'arn',
      watermarkMs: start + n * hour,
      watermarkSnapshot: snapshotId,
      key: [{ name: 'client', tag: 'S' as const }],
      columns,
      gaps: [],
      facts: null,
      adopted: [],
      baseline: { exportArn: 'e', exportTimeMs: start },
    };
    const facts = {
      sequenceNumber: this.md['last-sequence-number'] + 1,
      schemaId: this.md['current-schema-id'],
      rows: n * 10,
      misfitRows: null,
    };
    await this.build({
      snapshotId,
      added: [dataFile(`w${n}`)],
      operation: n === 1 ? 'append' : 'overwrite',
      summary: { 'tidelake.to': formatInstant(start + n * hour), 'tidelake.epoch': '1' },
      properties: { ...writeLakeState(state), ...factsProperty(facts) },
    });
    return snapshotId;
  }

  async build(change: Partial<SnapshotOptions>): Promise<void> {
    const metadataUri = this.#versions === 0 ? {} : { metadataUri: this.uri(this.#versions) };
    await this.put(await this.lake.build(this.md, { ...metadataUri, ...change }));
  }

  /** Another program's compaction of the file of a window into one of another name. */
  compact(from: string, to: string): Promise<void> {
    const removed = new Set([`${location}/data/${from}.parquet`]);
    return this.build({ operation: 'replace', removed, added: [dataFile(to)] });
  }

  /** What an expiry leaves: the current snapshot and those of `keep`, in a metadata file that logs the one before. */
  async expire(keep: readonly bigint[] = []): Promise<void> {
    const { md } = this;
    const kept = (id: bigint): boolean => id === md['current-snapshot-id'] || keep.includes(id);
    await this.put({
      ...md,
      snapshots: md.snapshots.filter((one) => kept(one['snapshot-id'])),
      'metadata-log': [
        ...md['metadata-log'],
        { 'timestamp-ms': md['last-updated-ms'], 'metadata-file': this.uri(this.#versions) },
      ],
    });
  }

  rollBack(id: bigint): Promise<void> {
    const refs = { main: { 'snapshot-id': id, type: 'branch' as const } };
    return this.put({ ...this.md, 'current-snapshot-id': id, refs });
  }

  /** ALTER TABLE: another schema, and no snapshot. */
  alter(fields: readonly IcebergField[]): Promise<void> {
    const id = this.md.schemas.length;
    return this.put({
      ...this.md,
      schemas: [...this.md.schemas, { type: 'struct', 'schema-id': id, fields }],
      'current-schema-id': id,
      'last-column-id': 9,
    });
  }

  check(): Promise<void> {
    const { md } = this;
    const open: OpenTable = {
      database: 'db',
      table: 'orders',
      entry: { metadataUri: this.uri(this.#versions), version: String(this.#versions) },
      md,
      location,
      state: readLakeState(md),
    };
    return checkWriter(this.lake.store, open);
  }
}

async function twoWindows(): Promise<{ story: Story; first: bigint; second: bigint }> {
  const story = new Story();
  const first = await story.window(1);
  const second = await story.window(2);
  return { story, first, second };
}

const refusal = (what: RegExp, next = /./): object =>
  expect.objectContaining({
    code: 'REFUSED_FOREIGN_WRITER',
    what: expect.stringMatching(what),
    next: expect.stringMatching(next),
  });

describe('the watermark is believed', () => {
  it('while its snapshot is the current one', async () => {
    const { story } = await twoWindows();
    await story.check();
  });

  it('when other programs rewrote files and manifests', async () => {
    const { story } = await twoWindows();
    await story.compact('w1', 'c1');
    await story.build({ operation: 'replace' });
    await story.check();
  });

  it('when the watermark snapshot has expired since', async () => {
    const { story } = await twoWindows();
    await story.compact('w1', 'c1');
    await story.expire();
    await story.check();
  });

  it('when snapshots between have expired, as long as an older metadata file has them', async () => {
    const { story } = await twoWindows();
    await story.compact('w1', 'c1');
    await story.compact('w2', 'c2');
    await story.compact('c1', 'c3');
    await story.expire();
    await story.check();
    await story.compact('c2', 'c4');
    await story.expire();
    await story.check();
  });

  it('after a roll-back to it that undid what others did', async () => {
    const { story, second } = await twoWindows();
    await story.build({ operation: 'append', added: [dataFile('x')] });
    await story.rollBack(second);
    await story.check();
  });

  it('when columns of others came, went or were renamed, and ours were renamed or moved', async () => {
    const { story } = await twoWindows();
    const [client, qty, tags] = schema.fields as [IcebergField, IcebergField, IcebergField];
    const region: IcebergField = { id: 9, name: 'region', required: false, type: 'date' };
    await story.alter([region, tags, client, { ...qty, name: 'quantity', doc: 'of items' }]);
    await story.check();
    await story.alter([client, qty, tags]);
    await story.check();
  });
});

describe('the watermark is refused', () => {
  it.each(['append', 'overwrite', 'delete'] as const)(
    'after %s by another program',
    async (operation) => {
      const { story, second } = await twoWindows();
      await story.build({ operation, added: [dataFile('x')] });
      const foreign = story.md['current-snapshot-id'];
      const adopt = (): RegExp =>
        new RegExp(`load a new full export.*--adopt-snapshot ${story.md['current-snapshot-id']} `);
      const what = new RegExp(
        `snapshot ${foreign} \\(${operation}\\).*snapshot ${second},.*T02:00:00.000Z`,
      );
      await expect(story.check()).rejects.toEqual(refusal(what, adopt()));
      await story.compact('x', 'c');
      await expect(story.check()).rejects.toEqual(refusal(what, adopt()));
      await story.expire();
      await expect(story.check()).rejects.toEqual(refusal(what, adopt()));
    },
  );

  it('after a roll-back, and says from where one could go on', async () => {
    const { story, first } = await twoWindows();
    await story.rollBack(first);
    const what = new RegExp(
      `rolled back to snapshot ${first} .*stands for 2026-01-01T01:00:00.000Z`,
    );
    const next = new RegExp(`--adopt-snapshot ${first} .* from 2026-01-01T01:00:00.000Z`);
    await expect(story.check()).rejects.toEqual(refusal(what, next));
    await story.compact('w1', 'c1');
    await expect(story.check()).rejects.toEqual(refusal(what));
    await story.expire();
    await expect(story.check()).rejects.toEqual(refusal(what));
  });

  it('after a roll-back with another change on top', async () => {
    const { story, first } = await twoWindows();
    await story.rollBack(first);
    await story.build({ operation: 'delete', removed: new Set([`${location}/data/w1.parquet`]) });
    const foreign = story.md['current-snapshot-id'];
    const what = new RegExp(
      `rolled back to snapshot ${first} .*then snapshot ${foreign} \\(delete\\)`,
    );
    await expect(story.check()).rejects.toEqual(refusal(what));
  });

  it('when a snapshot between has expired and no metadata file knows it', async () => {
    const { story } = await twoWindows();
    await story.compact('w1', 'c1');
    const lost = story.md['current-snapshot-id'];
    await story.compact('c1', 'c2');
    await story.expire();
    for (let version = 1; version <= 4; version++)
      await story.lake.store.remove(story.uri(version));
    await expect(story.check()).rejects.toEqual(
      refusal(new RegExp(`snapshot ${lost} has expired`)),
    );
  });

  it('when the metadata file that knows it is of another table, or damaged', async () => {
    const { story } = await twoWindows();
    await story.compact('w1', 'c1');
    await story.compact('c1', 'c2');
    const other = { ...story.md, 'table-uuid': 'c0ffee00-1111-4222-8333-444455556666' };
    await story.expire();
    for (let version = 1; version <= 4; version++) {
      await story.lake.store.put(story.uri(version), serializeTableMetadata(other));
    }
    await expect(story.check()).rejects.toEqual(refusal(/has expired/));
    await story.lake.store.put(story.uri(4), new TextEncoder().encode('{'));
    await expect(story.check()).rejects.toEqual(refusal(/has expired/));
  });

  it.each([
    ['more', 11n],
    ['fewer', 9n],
  ])('when a snapshot that says it keeps rows leaves %s of them', async (_, rows) => {
    const { story } = await twoWindows();
    const removed = new Set([`${location}/data/w1.parquet`]);
    await story.build({ operation: 'replace', removed, added: [dataFile('c1', [], rows)] });
    await expect(story.check()).rejects.toEqual(
      refusal(new RegExp(`\\(replace\\).*of 20 rows .* there are ${10n + rows}`)),
    );
  });

  it('when such a snapshot only claims its totals', async () => {
    const { story } = await twoWindows();
    await story.build({ operation: 'replace', added: [dataFile('twice')] });
    const [last] = story.md.snapshots.slice(-1);
    const summary = { ...last!.summary, 'total-records': '20', 'added-records': '0' };
    await story.put({
      ...story.md,
      snapshots: [...story.md.snapshots.slice(0, -1), { ...last!, summary }],
    });
    await expect(story.check()).rejects.toEqual(refusal(/of 20 rows .* there are 30/));
  });

  it.each<[string, (fields: readonly IcebergField[]) => IcebergField[]]>([
    ['dropped', (fields) => fields.filter((field) => field.id !== 2)],
    [
      'made again under its name',
      (fields) => fields.map((one) => (one.id === 2 ? { ...one, id: 9 } : one)),
    ],
    [
      'widened',
      (fields) => fields.map((one) => (one.id === 2 ? { ...one, type: 'decimal(20, 2)' } : one)),
    ],
  ])('when a column of ours was %s', async (_, change) => {
    const { story } = await twoWindows();
    await story.alter(change(schema.fields));
    await expect(story.check()).rejects.toEqual(refusal(/columns qty/, /^tidelake load/));
    await story.compact('w1', 'c1');
    await expect(story.check()).rejects.toEqual(refusal(/columns qty/));
  });

  it('when the table was written anew', async () => {
    const { story, second } = await twoWindows();
    const fresh = { ...emptyTable(), properties: story.md.properties };
    await story.put(await story.lake.build(fresh, { operation: 'append', added: [dataFile('x')] }));
    await expect(story.check()).rejects.toEqual(refusal(new RegExp(`\\(append\\).*${second}`)));
    await story.put({ ...fresh, 'current-snapshot-id': null, refs: {} });
    await expect(story.check()).rejects.toEqual(refusal(/no current snapshot/));
  });
});
