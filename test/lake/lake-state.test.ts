// The state in the properties: out and in again, and what is refused.
import { describe, expect, it } from 'vitest';
import type { LakeState } from '../../pipeline/lake/lake-state.js';
import { readLakeState, writeLakeState } from '../../pipeline/lake/lake-state.js';
import { hour, location, start } from './fixtures.js';

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
  facts: { sequenceNumber: 7, schemaId: 2, rows: 1000, misfitRows: 3 },
  adopted: [{ snapshotId: 6838723292707092921n, watermarkMs: start, atMs: start + 5 * hour }],
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
      'tidelake.watermark-facts': '{"sequence":7,"schema":2,"rows":1000,"misfits":3}',
      'tidelake.adopted':
        '[{"snapshot":"6838723292707092921","watermark":"2026-01-01T00:00:00.000Z","at":"2026-01-01T05:00:00.000Z"}]',
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
    ['tidelake.watermark-facts', '{"sequence":1,"schema":0}'],
    ['tidelake.watermark-facts', '{"sequence":1,"schema":0,"rows":-1}'],
    ['tidelake.adopted', '[{"snapshot":"x"}]'],
  ])('is refused when %s is %j', (name, value) => {
    expect(() => read({ ...writeLakeState(state), [name]: value })).toThrow(
      expect.objectContaining({ code: 'REFUSED_FORMAT' }),
    );
  });
});
