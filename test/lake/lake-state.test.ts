// The state in the properties, and when it may be believed.
import { describe, expect, it } from 'vitest';
import { currentSnapshot } from '../../pipeline/lake/iceberg/metadata.js';
import type { LakeState } from '../../pipeline/lake/lake-state.js';
import { checkWriter, readLakeState, writeLakeState } from '../../pipeline/lake/lake-state.js';
import type { TableMetadata } from '../../schemas/iceberg.js';
import { dataFile, emptyTable, hour, location, start, TestLake } from './fixtures.js';

const state: LakeState = {
  epoch: 2,
  tableId: '0a1b-uuid',
  tableArn: 'arn:aws:dynamodb:eu-central-1:123456789012:table/orders',
  watermarkMs: start + hour,
  watermarkSnapshot: 6838723292707092922n,
  key: [
    { name: 'client"id', tag: 'S' },
    { name: '__proto__', tag: 'N' },
  ],
  columns: '{"1":["client\\"id"]}',
  gaps: [
    { fromMs: start, toMs: start + hour, kind: 'gap' },
    { fromMs: start + 123, toMs: start + 1000, kind: 'seam' },
  ],
  baseline: { exportArn: 'arn:aws:dynamodb:…:export/01', exportTimeMs: start + 123 },
};
const read = (properties: Record<string, string>): LakeState =>
  readLakeState({ properties, location });

describe('the state of a lake table', () => {
  it('comes back from the properties as it was', () => {
    expect(read({ ...writeLakeState(state), 'write.format.default': 'parquet' })).toEqual(state);
  });

  it('stands in the properties in a form people can read', () => {
    expect(writeLakeState(state)).toMatchObject({
      'tidelake.format': '1',
      'tidelake.epoch': '2',
      'tidelake.watermark': '2026-01-01T01:00:00.000Z',
      'tidelake.watermark-snapshot': '6838723292707092922',
      'tidelake.key': '[{"name":"client\\"id","tag":"S"},{"name":"__proto__","tag":"N"}]',
      'tidelake.baseline':
        '{"exportArn":"arn:aws:dynamodb:…:export/01","exportTime":"2026-01-01T00:00:00.123Z"}',
    });
  });

  it('of a newer format is refused', () => {
    expect(() => read({ ...writeLakeState(state), 'tidelake.format': '2' })).toThrow(
      expect.objectContaining({ code: 'REFUSED_NEWER_FORMAT' }),
    );
  });

  it('is refused for a table that another program made', () => {
    expect(() => read({ 'write.format.default': 'parquet' })).toThrow(
      expect.objectContaining({ code: 'REFUSED_FOREIGN_WRITER' }),
    );
  });

  it.each([
    ['tidelake.watermark', '2026-01-01'],
    ['tidelake.watermark', 'yesterday'],
    ['tidelake.watermark-snapshot', '1.5'],
    ['tidelake.key', '{"name":"x"}'],
    ['tidelake.key', '[{"name":"x","tag":"BOOL"}]'],
    ['tidelake.key', '[{'],
    ['tidelake.gaps', '[{"from":"2026-01-01T00:00:00.000Z"}]'],
    ['tidelake.baseline', 'null'],
    ['tidelake.epoch', '-1'],
  ])('is refused when %s is %j', (name, value) => {
    expect(() => read({ ...writeLakeState(state), [name]: value })).toThrow(
      expect.objectContaining({ code: 'REFUSED_FORMAT' }),
    );
  });
});

describe('the watermark', () => {
  async function table(): Promise<{ lake: TestLake; md: TableMetadata; state: LakeState }> {
    const lake = new TestLake();
    const watermarkSnapshot = lake.ids.snapshotId();
    const own = { ...state, watermarkSnapshot };
    const md = await lake.build(emptyTable(), {
      snapshotId: watermarkSnapshot,
      added: [dataFile('a')],
      properties: writeLakeState(own),
    });
    return { lake, md, state: readLakeState(md) };
  }

  it('is trusted while its snapshot is the current one', async () => {
    const { md, state: own } = await table();
    expect(() => checkWriter(md, own)).not.toThrow();
  });

  it('is trusted after replace snapshots, also when the snapshot itself has expired', async () => {
    const { lake, md, state: own } = await table();
    const first = await lake.build(md, { operation: 'replace' });
    expect(() => checkWriter(first, own)).not.toThrow();
    const second = await lake.build(first, { operation: 'replace' });
    expect(() => checkWriter(second, own)).not.toThrow();
    expect(() =>
      checkWriter({ ...second, snapshots: second.snapshots.slice(1) }, own),
    ).not.toThrow();
    // Of what lies between nothing is known any more.
    expect(() => checkWriter({ ...second, snapshots: second.snapshots.slice(2) }, own)).toThrow(
      expect.objectContaining({ code: 'REFUSED_FOREIGN_WRITER' }),
    );
  });

  it.each(['append', 'overwrite', 'delete'] as const)(
    'is not trusted after %s by another writer',
    async (operation) => {
      const { lake, md, state: own } = await table();
      const foreign = await lake.build(md, { operation, added: [dataFile('x')] });
      const replaced = await lake.build(foreign, { operation: 'replace' });
      for (const one of [foreign, replaced]) {
        expect(() => checkWriter(one, own)).toThrow(
          expect.objectContaining({ code: 'REFUSED_FOREIGN_WRITER' }),
        );
      }
    },
  );

  it('is not trusted after a roll-back to a snapshot before it', async () => {
    const lake = new TestLake();
    const before = await lake.build(emptyTable());
    const snapshotId = lake.ids.snapshotId();
    const after = await lake.build(before, {
      snapshotId,
      properties: writeLakeState({ ...state, watermarkSnapshot: snapshotId }),
    });
    const old = currentSnapshot(before)!['snapshot-id'];
    const back = {
      ...after,
      'current-snapshot-id': old,
      refs: { main: { 'snapshot-id': old, type: 'branch' as const } },
    };
    expect(() => checkWriter(back, readLakeState(back))).toThrow(/2026-01-01T01:00:00\.000Z/);
  });
});
