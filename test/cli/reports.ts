// Reports as the lake would give them, for tests of how they are printed.
// Promises every field of the contract.
// Spec: pipeline/reports.ts.

import type {
  LoadReport,
  LogRow,
  MergeReport,
  SchemaRow,
  StatusRow,
  UnloadReport,
  VerifyReport,
} from '../../pipeline/reports.js';

export const loadReport: LoadReport = {
  action: 'loaded',
  reason: null,
  database: 'lake',
  table: 'mystore',
  tableId: '2a4ac9ff-0e2f-4d5e-8b0a-5b8f9a9b1c2d',
  epoch: 1,
  exportArn:
    'arn:aws:dynamodb:eu-central-1:111122223333:table/mystore/export/01762000000000-0a1b2c3d',
  watermark: '2026-11-20T09:00:00.000Z',
  snapshotId: '5781947118336215154',
  rows: 20000,
  columns: 21,
  misfits: 0,
  dataFiles: 1,
  bytes: 3_141_592,
  seam: false,
  seconds: 1.25,
};

export const mergeReport: MergeReport = {
  action: 'applied',
  exportArn:
    'arn:aws:dynamodb:eu-central-1:111122223333:table/mystore/export/01762003600000-1a1b2c3d',
  table: 'mystore',
  from: '2026-11-20T09:00:00.000Z',
  to: '2026-11-20T10:00:00.000Z',
  inserted: 120,
  updated: 1380,
  deleted: 7,
  snapshotId: '5781947118336215155',
  watermark: '2026-11-20T10:00:00.000Z',
  addedColumns: [],
  retypedColumns: [],
  misfits: 0,
  reason: null,
  error: null,
  seconds: 0.3,
};

export const refusedReport: MergeReport = {
  ...mergeReport,
  action: 'refused',
  from: '2026-11-20T10:00:00.000Z',
  to: '2026-11-20T11:00:00.000Z',
  inserted: null,
  updated: null,
  deleted: null,
  snapshotId: null,
  watermark: '2026-11-20T09:00:00.000Z',
  misfits: null,
  error: {
    code: 'REFUSED_GAP',
    what: 'mystore: the lake ends at 2026-11-20T09:00Z but this export starts at 2026-11-20T10:00Z',
    meaning: 'nothing was written; changes from 09:00Z to 10:00Z would have been lost',
    next: 'tidelake export mystore --from 2026-11-20T09:00Z --to 2026-11-20T10:00Z',
  },
  seconds: 0,
};

export const statusRow: StatusRow = {
  database: 'lake',
  table: 'mystore',
  tableId: '2a4ac9ff-0e2f-4d5e-8b0a-5b8f9a9b1c2d',
  tableArn: 'arn:aws:dynamodb:eu-central-1:111122223333:table/mystore',
  epoch: 1,
  watermark: '2026-11-20T10:00:00.000Z',
  ageSeconds: 7500,
  snapshotId: '5781947118336215155',
  snapshotTime: '2026-11-20T10:00:00.000Z',
  rows: 20113,
  dataFiles: 3,
  deleteFiles: 1,
  bytes: 3_241_592,
  misfits: 0,
  snapshots: 2,
  manifests: 3,
  metadataBytes: 12_345,
  oldest: '2026-11-20T09:00:00.000Z',
  gaps: [],
  adopted: [],
  retypes: [],
  location: 'file:///srv/shop/lake/lake/mystore',
  health: 'ok',
  problem: null,
};

export const logRow: LogRow = {
  snapshotId: '5781947118336215155',
  committedAt: '2026-11-20T10:21:00.000Z',
  operation: 'overwrite',
  kind: 'merge',
  from: '2026-11-20T09:00:00.000Z',
  to: '2026-11-20T10:00:00.000Z',
  exportArn: mergeReport.exportArn,
  inserted: 120,
  updated: 1380,
  deleted: 7,
  rows: 20113,
  dataFiles: 3,
  epoch: 1,
  adopted: null,
};

export const schemaRow: SchemaRow = {
  column: 'order_id',
  type: 'string',
  attribute: 'orderId',
  dynamodbTypes: ['S'],
  present: 20113,
  misfits: 0,
  key: false,
  fieldId: 3,
};

export const verifyReport: VerifyReport = {
  table: 'mystore',
  ok: true,
  checks: [
    { name: 'data files', ok: true, detail: '3 files, all there with their sizes' },
    { name: 'rows', ok: true, detail: '20113 counted, 20113 in the snapshot' },
  ],
};

export const unloadReport: UnloadReport = {
  items: 20113,
  files: 2,
  bytes: 2_900_000,
  watermark: '2026-11-20T10:00:00.000Z',
  snapshotId: '5781947118336215155',
  out: 'file:///srv/shop/back',
  seconds: 0.8,
};
