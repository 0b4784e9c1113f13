// Which snapshots of a table leave its metadata, and what the metadata is without them: pure functions.
// Promises: the current snapshot stays, so does every one that a branch or tag names, all from which the watermark is
// believed, and whatever says which instant a kept snapshot stands for. Age is the age of data, counted back from the
// watermark: a lake that is late, or filled with years of the past at once, loses nothing by that.
// Source: apache/iceberg format/spec.md, "Snapshot Retention Policy", "Table Metadata Fields" (snapshot-log); Java's
// RemoveSnapshots and TableMetadata.removeSnapshots.

import { refuse } from '../../schemas/errors.js';
import type { Snapshot, TableMetadata } from '../../schemas/iceberg.js';
import { metadataLogReadsMax, metadataVersionsMin } from '../../schemas/limits.js';
import { fieldType, snapshotById } from '../lake/iceberg/metadata.js';
import { parseInstant } from '../lake/lake-state.js';
import { mainLine, type OpenTable } from '../lake/open-table.js';
import { nestedNamesAgree } from '../query/nested-names.js';

/** What is kept. A snapshot leaves only if all of it allows. */
export interface Retention {
  /** Snapshots stay whose data is younger than this, counted back from the watermark, and the one before them, so that
   *  every instant of that time can be asked for; ms. */
  readonly keepMs: number;
  /** So many of the newest stay, whatever their age; at least 1. */
  readonly keepSnapshots: number;
  /** A snapshot stays for so long after the next one was committed, by the clock; ms. For queries that still read it. */
  readonly graceMs: number;
}

/** Iceberg's own, where a table says nothing. */
const defaultAgeMs = 5 * 86_400_000;
const defaultKept = 1;

/** The retention a table asks for by its properties. */
export function tableRetention(
  properties: TableMetadata['properties'],
): Pick<Retention, 'keepMs' | 'keepSnapshots'> {
  const number = (name: string, fallback: number): number => {
    const text = properties[name];
    return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : fallback;
  };
  return {
    keepMs: number('history.expire.max-snapshot-age-ms', defaultAgeMs),
    keepSnapshots: Math.max(1, number('history.expire.min-snapshots-to-keep', defaultKept)),
  };
}

/** Throws REFUSED_KEPT_FILES for a table whose files are not to be removed (Iceberg: `gc.enabled`). */
export function checkMayRemove({ table, md }: OpenTable): void {
  if (md.properties['gc.enabled'] !== 'false') return;
  throw refuse(
    'REFUSED_KEPT_FILES',
    `${table} has the property gc.enabled = false`,
    'another table may share its files; nothing was removed',
    'leave it; or set gc.enabled to true, with ALTER TABLE … SET TBLPROPERTIES in Athena, if no other table shares them',
  );
}

/** The snapshots that may leave, in the order of the metadata. */
export function expiredSnapshots(
  open: OpenTable,
  retention: Retention,
  nowMs: number,
): readonly Snapshot[] {
  const { md } = open;
  const kept = keptSnapshots(open, retention, nowMs);
  return md.snapshots.filter((one) => !kept.has(one['snapshot-id']));
}

function keptSnapshots(open: OpenTable, retention: Retention, nowMs: number): Set<bigint> {
  const { md, state } = open;
  const line = mainLine(md);
  const isOnLine = new Set(line.map(({ snapshot }) => snapshot['snapshot-id']));
  const kept = new Set<bigint>();
  const cutMs = state.watermarkMs - retention.keepMs;
  const firstByCount = line.length - Math.max(1, retention.keepSnapshots);
  const dataMs = (i: number): number => line[i]!.watermarkMs ?? line[i]!.snapshot['timestamp-ms'];
  // Data times need not rise: a table may have been rolled back, or loaded from an older export.
  const lastAtCut = line.findLastIndex((_, i) => dataMs(i) <= cutMs);
  line.forEach(({ snapshot }, i) => {
    const next = line[i + 1]?.snapshot;
    const isRead = next === undefined || committedMs(next) > nowMs - retention.graceMs;
    if (i >= firstByCount || i === lastAtCut || dataMs(i) > cutMs || isRead) {
      kept.add(snapshot['snapshot-id']);
    }
  });
  for (const snapshot of md.snapshots) {
    if (isOnLine.has(snapshot['snapshot-id'])) continue;
    const isYoung = snapshot['timestamp-ms'] > cutMs;
    if (isYoung || committedMs(snapshot) > nowMs - retention.graceMs) {
      kept.add(snapshot['snapshot-id']);
    }
  }
  keepRefs(md, isOnLine, kept);
  keepBelief(
    open,
    line.map(({ snapshot }) => snapshot),
    kept,
  );
  keepDates(open, kept);
  return kept;
}

/** What branches and tags name; of a branch, all that is its own. */
function keepRefs(md: TableMetadata, isOnLine: ReadonlySet<bigint>, kept: Set<bigint>): void {
  for (const ref of Object.values(md.refs)) {
    kept.add(ref['snapshot-id']);
    if (ref.type === 'tag') continue;
    let snapshot = snapshotById(md, ref['snapshot-id']);
    for (let i = 0; i < md.snapshots.length && snapshot !== null; i++) {
      if (isOnLine.has(snapshot['snapshot-id'])) break;
      kept.add(snapshot['snapshot-id']);
      snapshot = snapshotById(md, snapshot['parent-snapshot-id'] ?? null);
    }
  }
}

/** All from the current snapshot back to the one that set the watermark: the watermark is believed by them. */
function keepBelief(open: OpenTable, line: readonly Snapshot[], kept: Set<bigint>): void {
  const from = line.findIndex((one) => one['snapshot-id'] === open.state.watermarkSnapshot);
  // When that one is gone already, what stands between is all there is to prove it by.
  for (const one of line.slice(Math.max(0, from))) kept.add(one['snapshot-id']);
}

/** A `replace` snapshot stands for the instant of the one before: without that nobody could ask for it by time. */
function keepDates(open: OpenTable, kept: Set<bigint>): void {
  const { md, state } = open;
  const adopted = new Set(state.adopted.map((one) => one.snapshotId));
  for (const id of [...kept]) {
    let snapshot = snapshotById(md, id);
    for (let i = 0; i < md.snapshots.length && snapshot !== null; i++) {
      kept.add(snapshot['snapshot-id']);
      const { summary } = snapshot;
      const isDated = summary['tidelake.to'] !== undefined || adopted.has(snapshot['snapshot-id']);
      if (isDated || summary.operation !== 'replace') break;
      snapshot = snapshotById(md, snapshot['parent-snapshot-id'] ?? null);
    }
  }
}

/** When a snapshot was committed, by the clock, as far as it says. Others' snapshots bear the clock's time. */
function committedMs(snapshot: Snapshot): number {
  return parseInstant(snapshot.summary['tidelake.committed-at'] ?? '') ?? snapshot['timestamp-ms'];
}

/** The metadata without some snapshots, and without the schemas that only they were read with. */
export function withoutSnapshots(open: OpenTable, gone: ReadonlySet<bigint>): TableMetadata {
  const { md, state } = open;
  const snapshots = md.snapshots.filter((one) => !gone.has(one['snapshot-id']));
  const there = new Set(snapshots.map((one) => one['snapshot-id']));
  // The log has no holes: what lies before an expired snapshot goes with it.
  const lastGone = md['snapshot-log'].findLastIndex((one) => !there.has(one['snapshot-id']));
  const isOfKept = (one: unknown): boolean => {
    const id = (one as { readonly 'snapshot-id'?: bigint | number })['snapshot-id'];
    return id === undefined || there.has(BigInt(id));
  };
  const partitionStatistics = md['partition-statistics'];
  return {
    ...md,
    snapshots,
    schemas: usedSchemas(md, snapshots, state.facts?.schemaId ?? null),
    'snapshot-log': md['snapshot-log'].slice(lastGone + 1),
    statistics: md.statistics.filter(isOfKept),
    ...(partitionStatistics === undefined
      ? {}
      : { 'partition-statistics': partitionStatistics.filter(isOfKept) }),
  };
}

function usedSchemas(
  md: TableMetadata,
  snapshots: readonly Snapshot[],
  factsId: number | null,
): TableMetadata['schemas'] {
  const ids = new Set<number | null | undefined>(snapshots.map((one) => one['schema-id']));
  if (ids.has(undefined)) return md.schemas;
  ids.add(md['current-schema-id']).add(factsId);
  // The highest stays, so that no id is ever given twice.
  ids.add(Math.max(...md.schemas.map((one) => one['schema-id'])));
  // Partition values are read with the type of their source, which may be in an older schema only.
  for (const { fields } of md['partition-specs']) {
    for (const field of fields) {
      ids.add(
        md.schemas.findLast((one) => fieldType(one, field['source-id']) !== null)?.['schema-id'],
      );
    }
  }
  const current = md.schemas.find((one) => one['schema-id'] === md['current-schema-id'])!;
  // Of files whose snapshot is gone nobody knows the schema: as long as one that names nested fields differently is there, they
  // are not read by name.
  return md.schemas.filter((one) => ids.has(one['schema-id']) || !nestedNamesAgree(current, [one]));
}

/** How many older metadata files stay in the metadata log. While the watermark is believed by snapshots of others, all that
 *  the log can hold: they may be the only ones to tell what an expired snapshot did. */
export function metadataVersions({ md, state }: OpenTable): number {
  const asked = md.properties['write.metadata.previous-versions-max'];
  const isOwn = md['current-snapshot-id'] === state.watermarkSnapshot;
  if (!isOwn || asked === undefined || !/^\d{1,9}$/.test(asked)) return metadataLogReadsMax;
  return Math.min(metadataLogReadsMax, Math.max(metadataVersionsMin, Number(asked)));
}
