// Checks that need the metadata only: does it hold together, and do the windows form one chain.
// Promises: a hole in the chain is found unless the properties confess it.
// Spec: DESIGN.md, "The table" (window rule); apache/iceberg format/spec.md, "Table Metadata Fields".

import type { TableMetadata } from '../../schemas/iceberg.js';
import { snapshotById } from '../lake/iceberg/metadata.js';
import { formatInstant, type LakeGap, parseInstant } from '../lake/lake-state.js';
import { mainLine, type OpenTable } from '../lake/open-table.js';
import { checkWriter } from '../lake/watermark.js';
import type { ObjectStore } from '../ports.js';
import { type Finding, findingOf } from './verify-finding.js';

/** Ids point at what is there, and the watermark belongs to the rows. Throws REFUSED_FOREIGN_WRITER where it does not. */
export async function checkMetadata(store: ObjectStore, table: OpenTable): Promise<Finding> {
  const { md, state } = table;
  const wrong: string[] = [];
  const current = md['current-snapshot-id'];
  if (current !== null && snapshotById(md, current) === null) {
    wrong.push(`the current snapshot ${current} is not among the snapshots`);
  }
  if (current === null) wrong.push('there is no current snapshot');
  const main = md.refs.main?.['snapshot-id'];
  if (main !== undefined && main !== current)
    wrong.push(`the branch main is at snapshot ${main}, not at ${current}`);
  wrong.push(...danglingIds(md));
  const dated = mainLine(md).at(-1);
  if (dated?.watermarkMs != null && dated.watermarkMs !== state.watermarkMs) {
    const shown = formatInstant(dated.watermarkMs);
    wrong.push(
      `the watermark is ${formatInstant(state.watermarkMs)}, but the current snapshot reaches ${shown}`,
    );
  }
  if (wrong.length === 0) await checkWriter(store, table);
  return findingOf(
    wrong,
    `${md.snapshots.length} snapshots, ${md.schemas.length} schemas, watermark ${formatInstant(state.watermarkMs)}`,
  );
}

function danglingIds(md: TableMetadata): string[] {
  const schemaIds = new Set(md.schemas.map((one) => one['schema-id']));
  const wrong: string[] = [];
  if (!schemaIds.has(md['current-schema-id']))
    wrong.push(`the current schema ${md['current-schema-id']} is missing`);
  for (const snapshot of md.snapshots) {
    const id = snapshot['schema-id'];
    const name = `snapshot ${snapshot['snapshot-id']}`;
    if (id === undefined) wrong.push(`${name} names no schema`);
    else if (!schemaIds.has(id)) wrong.push(`${name} names schema ${id}, which is missing`);
    if (snapshot['sequence-number'] > md['last-sequence-number']) {
      wrong.push(`${name} has a sequence number beyond the table's last`);
    }
  }
  if (!md['partition-specs'].some((one) => one['spec-id'] === md['default-spec-id'])) {
    wrong.push(`the partition spec ${md['default-spec-id']} is missing`);
  }
  return wrong;
}

/** The windows of the current epoch, as far back as snapshots reach: each begins where the one before ended. */
export function checkWindows(table: OpenTable): Finding {
  const { md, state } = table;
  const wrong: string[] = [];
  let reached: number | null = null;
  let windows = 0;
  // Snapshots of others are a fault, until one above them is adopted: it stands for what they did too.
  let foreign: string[] = [];
  const adopted = new Map(state.adopted.map((one) => [one.snapshotId, one.watermarkMs]));
  for (const { snapshot } of mainLine(md)) {
    const { summary } = snapshot;
    const declared = adopted.get(snapshot['snapshot-id']);
    if (declared !== undefined) {
      reached = declared;
      foreign = [];
      continue;
    }
    if (
      summary['tidelake.epoch'] !== undefined &&
      summary['tidelake.epoch'] !== String(state.epoch)
    ) {
      reached = null;
      continue;
    }
    const to = instantOf(summary['tidelake.to']);
    const from = instantOf(summary['tidelake.from']);
    if (to === null) {
      if (summary.operation !== 'replace')
        foreign.push(`snapshot ${snapshot['snapshot-id']} brought rows in without a window`);
      continue;
    }
    wrong.push(...foreign.splice(0));
    if (from !== null) {
      windows += 1;
      if (to < from) wrong.push(`the window from ${formatInstant(from)} ends before it begins`);
      if (reached !== null && from !== reached && !isConfessed(state.gaps, reached, from)) {
        wrong.push(`after ${formatInstant(reached)} comes a window from ${formatInstant(from)}`);
      }
    }
    reached = to;
  }
  wrong.push(...foreign);
  if (reached !== null && reached !== state.watermarkMs) {
    wrong.push(
      `the windows reach ${formatInstant(reached)}, but the watermark is ${formatInstant(state.watermarkMs)}`,
    );
  }
  const gaps = state.gaps.length === 0 ? '' : `, ${state.gaps.length} accepted gaps or seams`;
  return findingOf(wrong, `${windows} windows in epoch ${state.epoch}${gaps}`);
}

function instantOf(text: string | undefined): number | null {
  return text === undefined ? null : parseInstant(text);
}

/** A gap lies between the two; a seam overlaps by less than a second, from the whole second before a full export. */
function isConfessed(gaps: readonly LakeGap[], reached: number, from: number): boolean {
  const start = Math.min(reached, from);
  const end = Math.max(reached, from);
  if (from < reached && reached - from >= 1000) return false;
  return gaps.some(
    (gap) => gap.fromMs <= start && gap.toMs >= end && (gap.kind === 'seam' || from > reached),
  );
}
