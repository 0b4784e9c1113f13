// `verify`: every promise about a lake table, checked on the files themselves.
// Promises: damage is a failed check and never a crash; no check says what stands in an item.
// Spec: DESIGN.md, "The table"; apache/iceberg format/spec.md.

import { TidelakeError } from '../../schemas/errors.js';
import { type LiveFiles, liveFiles } from '../lake/iceberg/live-files.js';
import { currentSnapshot } from '../lake/iceberg/metadata.js';
import type { OpenTable } from '../lake/open-table.js';
import { ObjectNotFoundError, type World } from '../ports.js';
import { schemaOf } from '../query/table-files.js';
import type { Target, VerifyCheck, VerifyReport } from '../reports.js';
import { openNamed, targetTables, withEngine } from './inspected-table.js';
import {
  checkFiles,
  checkFooters,
  checkHistory,
  checkRowGroups,
  listFolder,
} from './verify-files.js';
import { type Finding, fileName, type Verified } from './verify-finding.js';
import { checkMetadata, checkWindows } from './verify-metadata.js';
import { checkBounds, checkKeys, checkPartitions, checkTotals } from './verify-rows.js';

/** One report per table of the database, or for the named one. Throws REFUSED_NO_TABLE only. */
export async function verify(world: World, target: Target): Promise<readonly VerifyReport[]> {
  const reports: VerifyReport[] = [];
  for (const name of await targetTables(world, target)) {
    const checks = await checksOf(world, target, name);
    reports.push({ table: name, ok: checks.every((check) => check.ok), checks });
  }
  return reports;
}

async function checksOf(world: World, target: Target, name: string): Promise<VerifyCheck[]> {
  const checks: VerifyCheck[] = [];
  const check = async (title: string, work: () => Promise<Finding> | Finding): Promise<boolean> => {
    const finding = await attempt(work);
    checks.push({ name: title, ...finding });
    return finding.ok;
  };
  let table: OpenTable | null = null;
  let live: LiveFiles | null = null;
  await check('the table opens', async () => {
    table = await openNamed(world, target, name);
    return { ok: true, detail: `snapshot ${table.md['current-snapshot-id'] ?? 'none'}` };
  });
  const opened = table as OpenTable | null;
  if (opened === null) return checks;
  await check('the metadata is consistent', () => checkMetadata(world.store, opened));
  await check('the windows form one chain', () => checkWindows(opened));
  await check('the manifests can be read', async () => {
    live = await liveFiles(world.store, opened.md, currentSnapshot(opened.md), opened.location);
    const { data, positionDeletes, manifests } = live;
    const files = `${data.length} data files and ${positionDeletes.length} delete files`;
    return { ok: true, detail: `${manifests.length} manifests with ${files}` };
  });
  const files = live as LiveFiles | null;
  if (files === null) return checks;
  const present = await listFolder(world, opened.location);
  await withEngine(world, async (engine) => {
    const schema = schemaOf(opened.md, currentSnapshot(opened.md));
    await checkContent({ world, table: opened, schema, live: files, present, engine }, check);
  });
  return checks;
}

async function checkContent(
  it: Verified,
  check: (title: string, work: () => Promise<Finding> | Finding) => Promise<boolean>,
): Promise<void> {
  const step = it.world.reporter.step(`verify ${it.table.table}`, 8, 'checks');
  const done = async (title: string, work: () => Promise<Finding>): Promise<boolean> => {
    const ok = await check(title, work);
    step.advance(1);
    return ok;
  };
  const areThere = await done('every file is there, whole', () => checkFiles(it));
  const haveFooters = await done('footers agree with the manifests', () => checkFooters(it));
  const decode = await done('every row group decodes', () => checkRowGroups(it));
  // Questions to rows make no sense while the rows cannot be read.
  const rows = (work: () => Promise<Finding>) => async (): Promise<Finding> =>
    areThere && haveFooters && decode
      ? work()
      : { ok: false, detail: 'not checked, since files are missing or damaged' };
  await done(
    'keys are present and unique',
    rows(() => checkKeys(it)),
  );
  await done(
    'totals agree',
    rows(() => checkTotals(it)),
  );
  await done(
    'values lie inside the recorded bounds',
    rows(() => checkBounds(it)),
  );
  await done(
    'rows lie in their partitions',
    rows(() => checkPartitions(it)),
  );
  await done('older snapshots are whole', () => checkHistory(it));
  step.done();
}

async function attempt(work: () => Promise<Finding> | Finding): Promise<Finding> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TidelakeError)
      return { ok: false, detail: `${error.code}  ${error.what}` };
    if (error instanceof ObjectNotFoundError) {
      return { ok: false, detail: `missing: ${fileName(error.uri)}` };
    }
    // A message nobody has written with care may quote what it stumbled over.
    const kind = error instanceof Error ? error.name : typeof error;
    return { ok: false, detail: `the check itself failed (${kind})` };
  }
}
