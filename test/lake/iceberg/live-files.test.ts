// Which delete files apply to which data file.
import { describe, expect, it } from 'vitest';
import {
  deletesByDataFile,
  deletesFor,
  liveFiles,
} from '../../../pipeline/lake/iceberg/live-files.js';
import { currentSnapshot } from '../../../pipeline/lake/iceberg/metadata.js';
import type { DataFile, ManifestEntry } from '../../../schemas/iceberg.js';
import { bucketed, dataFile, deleteFile, emptyTable, TestLake } from '../fixtures.js';

const pathField = 2147483546;
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

function entry(file: DataFile, sequenceNumber: bigint, specId = 0): ManifestEntry {
  return {
    status: 1,
    snapshotId: 1n,
    sequenceNumber,
    fileSequenceNumber: sequenceNumber,
    specId,
    file,
  };
}

describe('scope of position deletes', () => {
  const data = entry(dataFile('s3://t/a', [1]), 5n);
  const bounded = (lower: string, upper: string): DataFile => ({
    ...deleteFile('d', null, [1]),
    lowerBounds: new Map([[pathField, utf8(lower)]]),
    upperBounds: new Map([[pathField, utf8(upper)]]),
  });

  it.each<[string, ManifestEntry, boolean]>([
    ['of the same commit', entry(deleteFile('d', null, [1]), 5n), true],
    ['newer than the data', entry(deleteFile('d', null, [1]), 6n), true],
    ['older than the data', entry(deleteFile('d', null, [1]), 4n), false],
    ['of another partition', entry(deleteFile('d', null, [2]), 6n), false],
    ['of a null partition', entry(deleteFile('d', null, [null]), 6n), false],
    ['of another spec', entry(deleteFile('d', null, [1]), 6n, 1), false],
    ['bound to this file', entry(deleteFile('d', 's3://t/a', [1]), 6n), true],
    ['bound to another file', entry(deleteFile('d', 's3://t/b', [1]), 6n), false],
    ['with path bounds around it', entry(bounded('s3://t/', 's3://t/b'), 6n), true],
    ['with path bounds beyond it', entry(bounded('s3://t/b', 's3://t/c'), 6n), false],
    ['with equal path bounds', entry(bounded('s3://t/a', 's3://t/a'), 6n), true],
  ])('%s', (_name, positionDelete, expected) => {
    expect(deletesFor(data, [positionDelete])).toHaveLength(expected ? 1 : 0);
    expect(deletesByDataFile([data], [positionDelete]).has('s3://t/a')).toBe(expected);
  });
});

describe('live files', () => {
  it('of a table without a snapshot are none', async () => {
    const lake = new TestLake();
    expect(await liveFiles(lake.store, emptyTable(), null)).toEqual({
      data: [],
      positionDeletes: [],
      manifests: [],
    });
  });

  it('refuse an equality delete file, naming it without its folders', async () => {
    const lake = new TestLake();
    const equality = {
      ...deleteFile('secret-value/eq-1', null, [1]),
      content: 2 as const,
      equalityIds: [1],
    };
    const md = await lake.build(emptyTable({ spec: bucketed }), { added: [dataFile('a', [1])] });
    const forged = await lake.build(md, { added: [equality] });
    const reading = liveFiles(lake.store, forged, currentSnapshot(forged));
    await expect(reading).rejects.toThrow(/eq-1\.parquet/);
    await expect(reading).rejects.not.toThrow(/secret-value/);
  });
});
