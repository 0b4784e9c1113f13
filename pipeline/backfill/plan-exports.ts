// Exports of many tables, sorted: for each lake table which epochs to make of them, and what is left aside and why.
// A pure function of what was found and where the lake's tables stand; the order of exports does not matter.
// Promises: every export that was found is in the plan of exactly one lake table, used or named; of several DynamoDB tables for
// one lake table only one is taken, and the others are named.

import { type ErrorFacts, refuse } from '../../schemas/errors.js';
import type {
  ExportSummary,
  FullExport,
  IncrementalExport,
} from '../../schemas/export-manifest.js';
import type { SourceTable } from '../../schemas/source-settings.js';
import { formatInstant } from '../lake/lake-state.js';
import { tableNameOf } from '../lake/table-name.js';
import type { Discovery, UnusableExport } from './discover-exports.js';
import { exportIdOf } from './discover-exports.js';
import { type Finding, findingsOf } from './findings.js';
import { type PlannedEpoch, planEpochs } from './plan-epochs.js';

/** Exports of one DynamoDB table. */
export interface TableGroup {
  readonly tableArn: string;
  readonly tableName: string;
  readonly tableId: string;
  readonly fulls: readonly FullExport[];
  readonly windows: readonly IncrementalExport[];
}

/** All that was found for one lake table. */
export interface LakeTableExports {
  /** Name of the lake table. */
  readonly table: string;
  /** One for each DynamoDB table that had the name, sorted by ARN and id. */
  readonly groups: readonly TableGroup[];
  readonly unusable: readonly UnusableExport[];
}

export interface SortOptions {
  /** DynamoDB's or the lake's name of the one table wanted. With `tableId`: the lake table's name. */
  readonly table: string | null;
  /** The one DynamoDB table wanted, by id. */
  readonly tableId: string | null;
  /** Full exports before it and windows that end before it are left out; null: none are. */
  readonly fromMs: number | null;
  /** Exports that end after it are left out; null: none are. */
  readonly toMs: number | null;
  /** The lake table that a DynamoDB table is configured for; absent, or undefined: named like it. */
  readonly nameOf?: (source: SourceTable) => string | undefined;
}

/** Sorts what was found by lake table, by name. */
export function sortExports(found: Discovery, options: SortOptions): readonly LakeTableExports[] {
  const { table, tableId } = options;
  const fromMs = options.fromMs ?? Number.NEGATIVE_INFINITY;
  const toMs = options.toMs ?? Number.POSITIVE_INFINITY;
  const named = (source: SourceTable): string =>
    options.nameOf?.(source) ?? tableNameOf(source.tableName);
  const isWanted = (source: SourceTable, id: string | null): boolean =>
    tableId === null
      ? table === null || source.tableName === table || named(source) === table
      : id === tableId;
  const lakeName = (source: SourceTable): string =>
    tableId !== null && table !== null ? table : named(source);

  const tables = new Map<string, Entry>();
  const entry = (name: string): Entry => {
    const known = tables.get(name) ?? { groups: new Map(), unusable: [] };
    tables.set(name, known);
    return known;
  };
  for (const one of found.summaries) {
    if (!isWanted(one, one.tableId)) continue;
    const [startMs, endMs] = timesOf(one);
    if (endMs > toMs || (one.type === 'FULL_EXPORT' ? startMs < fromMs : endMs <= fromMs)) continue;
    const { groups } = entry(lakeName(one));
    const key = `${one.tableArn} ${one.tableId}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  for (const one of found.unusable) {
    if (one.tableArn === null) continue;
    const { tableArn } = one;
    const tableName = tableArn.slice(tableArn.indexOf('table/') + 'table/'.length);
    const source = { tableName, tableArn };
    if (isWanted(source, null)) entry(lakeName(source)).unusable.push(one);
  }
  return [...tables]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { groups, unusable }]) => ({
      table: name,
      groups: [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, all]) => groupOf(all)),
      unusable: [...unusable].sort((a, b) => (a.summaryUri < b.summaryUri ? -1 : 1)),
    }));
}

interface Entry {
  readonly groups: Map<string, ExportSummary[]>;
  readonly unusable: UnusableExport[];
}

/** First and last instant that an export is about. */
function timesOf(one: ExportSummary): readonly [number, number] {
  if (one.type === 'FULL_EXPORT') return [one.exportTimeMs, one.exportTimeMs];
  return [one.window.fromMs, one.window.toMs];
}

function groupOf(all: readonly ExportSummary[]): TableGroup {
  const { tableArn, tableName, tableId } = all[0]!;
  const sorted = [...all].sort((a, b) => (a.exportArn < b.exportArn ? -1 : 1));
  return {
    tableArn,
    tableName,
    tableId,
    fulls: sorted.filter((one) => one.type === 'FULL_EXPORT'),
    windows: sorted.filter((one) => one.type === 'INCREMENTAL_EXPORT'),
  };
}

/** Where a lake table stands. */
export interface LakeStand {
  readonly tableId: string;
  readonly watermarkMs: number;
  /** Whether its epoch began with a full export within a second. */
  readonly hasSeam: boolean;
}

export interface PlanOptions {
  /** Null: there is no such table yet, or it is to be begun anew. */
  readonly lake: LakeStand | null;
  /** The DynamoDB table that may take the place of the lake's; null: none may. */
  readonly acceptTableId: string | null;
  readonly acceptSeam: boolean;
}

/** The plan for one lake table. */
export interface TablePlan {
  readonly table: string;
  /** The DynamoDB table at the end; null: no export of one can be used. */
  readonly group: TableGroup | null;
  readonly epochs: readonly PlannedEpoch[];
  readonly findings: readonly Finding[];
  /** Why nothing of it may be done; null: it may. */
  readonly refusal: ErrorFacts | null;
}

/** Plans one lake table. */
export function planTable(found: LakeTableExports, options: PlanOptions): TablePlan {
  const { table, groups } = found;
  const { lake, acceptTableId, acceptSeam } = options;
  const chosen = chooseGroups(groups, lake, acceptTableId);
  const epochs: PlannedEpoch[] = [];
  const findings: Finding[] = [];
  let afterMs: number | null = null;
  for (const group of chosen) {
    const watermarkMs = lake !== null && lake.tableId === group.tableId ? lake.watermarkMs : null;
    // A full export older than the lake cannot follow it, whichever table it is of.
    if (watermarkMs === null && afterMs === null && lake !== null) afterMs = lake.watermarkMs;
    const { fulls, windows } = group;
    const planned = planEpochs({
      fulls,
      windows,
      watermarkMs,
      hasSeam: lake?.hasSeam ?? false,
      afterMs,
      acceptSeam,
    });
    epochs.push(...planned);
    findings.push(...findingsOf({ table, fulls, windows, epochs: planned, acceptSeam }));
    afterMs = planned.at(-1)?.reachMs ?? afterMs;
  }
  const others = groups.filter((group) => !chosen.includes(group));
  findings.push(...others.map((group) => otherTable(table, group, lake, chosen.at(-1) ?? null)));
  findings.push(...found.unusable.map(unusableOne));
  const [other] = groups;
  const isRefused = chosen.length === 0 && lake !== null && other !== undefined;
  return {
    table,
    group: chosen.at(-1) ?? null,
    epochs,
    findings,
    refusal: isRefused ? tableIdRefusal(table, lake, newestOf(groups)!) : null,
  };
}

/** The lake's table, then the one that may take its place; for a new lake the table with the newest export. */
function chooseGroups(
  groups: readonly TableGroup[],
  lake: LakeStand | null,
  acceptTableId: string | null,
): readonly TableGroup[] {
  const accepted = groups.filter(({ tableId }) => tableId === acceptTableId).slice(0, 1);
  if (lake !== null) {
    const own = groups.filter(({ tableId }) => tableId === lake.tableId).slice(0, 1);
    return [...own, ...accepted.filter((one) => !own.includes(one))];
  }
  if (accepted.length > 0) return accepted;
  const newest = newestOf(groups.filter(({ fulls }) => fulls.length > 0)) ?? newestOf(groups);
  return newest === null ? [] : [newest];
}

function newestOf(groups: readonly TableGroup[]): TableGroup | null {
  const sorted = [...groups].sort((a, b) => endOf(b) - endOf(a));
  return sorted[0] ?? null;
}

function endOf({ fulls, windows }: TableGroup): number {
  return [...fulls, ...windows].reduce(
    (ms, one) => Math.max(ms, timesOf(one)[1]),
    Number.NEGATIVE_INFINITY,
  );
}

function startOf({ fulls, windows }: TableGroup): number {
  return [...fulls, ...windows].reduce(
    (ms, one) => Math.min(ms, timesOf(one)[0]),
    Number.POSITIVE_INFINITY,
  );
}

function otherTable(
  table: string,
  group: TableGroup,
  lake: LakeStand | null,
  chosen: TableGroup | null,
): Finding {
  const isNewer = lake !== null && endOf(group) > lake.watermarkMs;
  const isElsewhere = chosen !== null && chosen.tableArn !== group.tableArn;
  return {
    kind: 'other-table',
    fromMs: startOf(group),
    toMs: endOf(group),
    exports: group.fulls.length + group.windows.length,
    isBlocking: isNewer && !isElsewhere,
    what: `exports of another table of this name, ${group.tableId}${isElsewhere ? ` (${group.tableArn})` : ', deleted and made again'}, do not continue ${table}`,
    next: isNewer
      ? `run this again with --table ${table} --accept-table-id ${group.tableId}, to go on with it in a new epoch`
      : `run this again with --table-id ${group.tableId} --table NAME, for a lake table of its own`,
  };
}

function unusableOne({ summaryUri, error }: UnusableExport): Finding {
  return {
    kind: 'unusable',
    fromMs: null,
    toMs: null,
    exports: 1,
    isBlocking: false,
    what: `export ${exportIdOf(summaryUri)} cannot be used: ${error.code} ${error.what}`,
    next: error.next,
  };
}

function tableIdRefusal(table: string, lake: LakeStand, group: TableGroup): ErrorFacts {
  return refuse(
    'REFUSED_TABLE_ID',
    `${table} holds DynamoDB table ${lake.tableId}, at ${formatInstant(lake.watermarkMs)}; these exports are of ${group.tableId}`,
    'the table was deleted and made again, restored, or is another one; nothing was written',
    `tidelake backfill with --table ${table} --accept-table-id ${group.tableId}, or with --table-id ${group.tableId} --table and another name`,
  ).facts();
}
