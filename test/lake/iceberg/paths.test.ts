// Where files of a moved table lie, and which paths are refused.
import { describe, expect, it } from 'vitest';
import { isMoved, locate } from '../../../pipeline/lake/iceberg/paths.js';

describe('paths of a table', () => {
  it('are moved to where the folder lies now', () => {
    expect(locate('file:///old/db/t', 'file:///new/t', 'file:///old/db/t/data/a.parquet')).toBe(
      'file:///new/t/data/a.parquet',
    );
    expect(locate('s3://b/t', 's3://b/t', 's3://b/t/metadata/x.avro')).toBe(
      's3://b/t/metadata/x.avro',
    );
  });

  it('are the same in every spelling of their scheme', () => {
    expect(locate('s3a://b/t/', 's3://b/t', 's3://b/t/data/a')).toBe('s3://b/t/data/a');
    expect(locate('file:/old/t', 'file:///new', 'file:///old/t/data/a')).toBe('file:///new/data/a');
    expect(isMoved('file:/lake/t', 'file:///lake/t/')).toBe(false);
    expect(isMoved('file:///lake/t', 'file:///lake/u')).toBe(true);
  });

  it.each([
    's3://b/t2/data/a',
    's3://b/t',
    's3://b/t/../u/a',
    's3://b/t/data/%2e%2E/a',
    's3://b/t/..%2F..%2Fa',
    'file:///etc/passwd',
    's3://b/t/data/..',
  ])('outside the folder are refused: %s', (uri) => {
    expect(() => locate('s3://b/t', 's3://b/t', uri)).toThrow(
      expect.objectContaining({ code: 'REFUSED_FOREIGN_PATH' }),
    );
  });
});
