// Upkeep of one table as the scheduled job does it: looks what is due, and does it, as long as time allows.
// Promises: cheap when nothing is due: manifests are read, and no data file; nothing is begun that the caller forbids; never
// throws for the table's own trouble: it is in the report, beside what was done before it.
// Source: DESIGN.md, "The table" (compaction and snapshot expiry are ours).

import type { ErrorFacts } from '../../schemas/errors.js';
import { liveFiles } from '../lake/iceberg/live-files.js';
import { currentSnapshot } from '../lake/iceberg/metadata.js';
import { openCatalog } from '../lake/open-catalog.js';
import { openTable } from '../lake/open-table.js';
import type { World } from '../ports.js';
import { errorFacts } from '../reporting/error-facts.js';
import type { CompactReport, ExpireReport, Target, UpkeepReport } from '../reports.js';
import { compactTable } from './compact.js';
import { expireTable } from './expire.js';
import { type UpkeepAction, type UpkeepWhen, upkeepDue } from './upkeep-due.js';

const dayMs = 86_400_000;
const hourMs = 3_600_000;

/** Does what is due for a table that is there; nothing for one that is not. `mayBegin` is asked before each partition and
 *  before the expiry. What `compactTable` and `expireTable` throw is the report's `error`; what was committed before stays. */
export async function upkeepTable(
  world: World,
  target: Target & { readonly table: string },
  when: UpkeepWhen,
  mayBegin: () => boolean = () => true,
): Promise<UpkeepReport> {
  const compacted: CompactReport[] = [];
  let expired: ExpireReport | null = null;
  let error: ErrorFacts | null = null;
  try {
    expired = await doWhatIsDue(world, target, when, mayBegin, compacted);
  } catch (thrown) {
    error = errorFacts(thrown);
  }
  return { compacted, expired, error };
}

/** Adds to `compacted` as it goes. */
async function doWhatIsDue(
  world: World,
  target: Target & { readonly table: string },
  when: UpkeepWhen,
  mayBegin: () => boolean,
  compacted: CompactReport[],
): Promise<ExpireReport | null> {
  const due = await dueFor(world, target, when);
  if (due.some(({ kind }) => kind === 'compact') && mayBegin()) {
    for await (const report of compactTable(world, { ...target, when })) {
      compacted.push(report);
      // Asking for the next one would begin it.
      if (!mayBegin()) break;
    }
  }
  if (!due.some(({ kind }) => kind === 'expire') || !mayBegin()) return null;
  const { keepMs, keepSnapshots, graceMs } = when.retention;
  return expireTable(world, {
    ...target,
    keepDays: keepMs / dayMs,
    keepSnapshots,
    graceHours: graceMs / hourMs,
  });
}

async function dueFor(
  world: World,
  target: Target & { readonly table: string },
  when: UpkeepWhen,
): Promise<readonly UpkeepAction[]> {
  const { store, clock } = world;
  const { database, table } = target;
  const catalog = await openCatalog(world, target);
  const open = await openTable({ store, catalog, database, table });
  if (open === null) return [];
  const live = await liveFiles(store, open.md, currentSnapshot(open.md), open.location);
  const names = await store.children(`${open.location}/metadata`);
  const metadataFiles = names.filter((name) => name.endsWith('.metadata.json')).length;
  return upkeepDue({ open, live, metadataFiles, nowMs: clock.nowMs() }, when);
}
