// Iceberg's metadata tables, `"t$snapshots"` and `"t$history"`, as SELECTs for DuckDB.
// Promises: the columns, in name, order and meaning, that Trino and Athena give these tables.
// Spec: Trino documentation, "Iceberg connector", "Metadata tables"; apache/iceberg format/spec.md, "Snapshots".

import type { Snapshot, TableMetadata } from '../../schemas/iceberg.js';
import { snapshotById } from '../lake/iceberg/metadata.js';
import { quoteText } from './sql-text.js';

/** The metadata tables that are known, by the suffix of their name. */
export const metadataSelects: Readonly<Record<string, (md: TableMetadata) => string>> = {
  snapshots: snapshotsSelect,
  history: historySelect,
};

function snapshotsSelect(md: TableMetadata): string {
  const columns = 'committed_at, snapshot_id, parent_id, operation, manifest_list, summary';
  const types =
    'NULL::TIMESTAMPTZ, NULL::BIGINT, NULL::BIGINT, NULL::VARCHAR, NULL::VARCHAR, NULL::MAP(VARCHAR, VARCHAR)';
  return table(columns, types, md.snapshots.map(snapshotRow));
}

function snapshotRow(snapshot: Snapshot): string {
  // Trino shows the operation in a column of its own, and not in the summary.
  const { operation, ...rest } = snapshot.summary;
  const entries = Object.entries(rest)
    .map(([key, value]) => `${quoteText(key)}: ${quoteText(value)}`)
    .join(', ');
  return [
    instant(snapshot['timestamp-ms']),
    `${snapshot['snapshot-id']}`,
    snapshot['parent-snapshot-id']?.toString() ?? 'NULL',
    operation === undefined ? 'NULL' : quoteText(operation),
    quoteText(snapshot['manifest-list']),
    entries === '' ? 'MAP {}' : `MAP {${entries}}`,
  ].join(', ');
}

function historySelect(md: TableMetadata): string {
  const ancestors = new Set<bigint>();
  let snapshot = snapshotById(md, md['current-snapshot-id']);
  // As many steps as there are snapshots, so that a ring of parents ends too.
  while (snapshot !== null && ancestors.size < md.snapshots.length) {
    ancestors.add(snapshot['snapshot-id']);
    snapshot = snapshotById(md, snapshot['parent-snapshot-id'] ?? null);
  }
  const columns = 'made_current_at, snapshot_id, parent_id, is_current_ancestor';
  const types = 'NULL::TIMESTAMPTZ, NULL::BIGINT, NULL::BIGINT, NULL::BOOLEAN';
  const rows = md['snapshot-log'].map((entry) => {
    const id = entry['snapshot-id'];
    const parent = snapshotById(md, id)?.['parent-snapshot-id'];
    return `${instant(entry['timestamp-ms'])}, ${id}, ${parent ?? 'NULL'}, ${ancestors.has(id)}`;
  });
  return table(columns, types, rows);
}

function instant(ms: number): string {
  return `TIMESTAMPTZ ${quoteText(new Date(ms).toISOString())}`;
}

/** Rows under named columns; the first row, which is left out again, gives the types. */
function table(columns: string, types: string, rows: readonly string[]): string {
  const values = [types, ...rows].map((row) => `(${row})`).join(',\n');
  const first = columns.split(', ')[1]!;
  return `SELECT * FROM (VALUES ${values}) AS m(${columns}) WHERE ${first} IS NOT NULL`;
}
