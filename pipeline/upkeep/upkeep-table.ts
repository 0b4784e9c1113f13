// Upkeep of one table as the scheduled job does it: looks what is due, and does it, as long as time allows.
// Promises: cheap when nothing is due: manifests are read, and no data file; nothing is begun that the caller forbids.
// Source: DESIGN.md, "The table" (compaction and snapshot expiry are ours).

import { liveFiles } from '../lake/iceberg/live-files.js';
import { currentSnapshot } from '../lake/iceberg/metadata.js';
import { openCatalog } from '../lake/open-catalog.js';
import { openTable } from '../lake/open-table.js';
import type { World } from '../ports.js';
import type { CompactReport, Target, UpkeepReport } from '../reports.js';
import { compactTable } from './compact.js';
import { expireTable } from './expire.js';
import { type UpkeepAction, type UpkeepWhen, upkeepDue } from './upkeep-due.js';

const dayMs = 86_400_000;
const hourMs = 3_600_000;

/** Does what is due for a table that is there; nothing for one that is not. `mayBegin` is asked before each partition and
 *  before the expiry. Throws what `compactTable` and `expireTable` throw; what was committed before stays. */
export async function upkeepTable(
  world: World,
  target: Target & { readonly table: string },
  when: UpkeepWhen,
  mayBegin: () => boolean = () => true,
): Promise<UpkeepReport> {
  const due = await dueFor(world, target, when);
  const compacted: CompactReport[] = [];
  if (due.some(({ kind }) => kind === 'compact') && mayBegin()) {
    for await (const report of compactTable(world, { ...target, when })) {
      compacted.push(report);
      // Asking for the next one would begin it.
      if (!mayBegin()) break;
    }
  }
  if (!due.some(({ kind }) => kind === 'expire') || !mayBegin()) {
    return { compacted, expired: null };
  }
  const { keepMs, keepSnapshots, graceMs } = when.retention;
  const expired = await expireTable(world, {
    ...target,
    keepDays: keepMs / dayMs,
    keepSnapshots,
    graceHours: graceMs / hourMs,
  });
  return { compacted, expired };
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
