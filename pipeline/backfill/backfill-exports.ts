// Exports that lie somewhere become the past of a lake: found, sorted into epochs, loaded and merged in order.
// Promises: where it goes on is read from the lake, so it may be killed anywhere, and done again is nothing to do; one
// table's trouble never stops another; what does not connect is named and changes nothing.

import { type ErrorFacts, outcomeOf, refuse, TidelakeError } from '../../schemas/errors.js';
import type { FullExport } from '../../schemas/export-manifest.js';
import type { SettingsOf } from '../../schemas/source-settings.js';
import { currentSnapshot } from '../lake/iceberg/metadata.js';
import { statedRows } from '../lake/iceberg/snapshot-summary.js';
import { formatInstant } from '../lake/lake-state.js';
import { openCatalog } from '../lake/open-catalog.js';
import { type OpenTable, openTable } from '../lake/open-table.js';
import { loadExport } from '../load/load-export.js';
import { mergeWindows } from '../merge/merge-exports.js';
import type { World } from '../ports.js';
import { errorFacts } from '../reporting/error-facts.js';
import type { BackfillReport, Target } from '../reports.js';
import { guardCommits, type RunLimit } from '../schedule/run-limit.js';
import { type Discovery, discoverExports } from './discover-exports.js';
import { estimateExports } from './estimate.js';
import type { PlannedEpoch } from './plan-epochs.js';
import {
  type LakeStand,
  type LakeTableExports,
  planTable,
  sortExports,
  type TablePlan,
} from './plan-exports.js';
import { reportEpoch, reportFinding } from './report-parts.js';

export interface BackfillExportsOptions extends Target {
  /** Folders that exports lie below, or exports. */
  readonly exportUris: readonly string[];
  /** Key attributes by DynamoDB's or the lake's table name, partition key first; '' stands for every table. */
  readonly keys: ReadonlyMap<string, readonly string[]>;
  /** What DynamoDB says of a table's key; null: it cannot be asked, or does not know. */
  readonly keyOf: ((full: FullExport) => Promise<readonly string[] | null>) | null;
  readonly buckets?: number;
  readonly partition?: string;
  /** What is configured for a DynamoDB table, where nothing else is said. */
  readonly settingsOf?: SettingsOf;
  readonly tableId: string | null;
  readonly acceptTableId: string | null;
  readonly acceptSeam: boolean;
  /** Begins anew with the first epoch, although the lake is past it. */
  readonly rewind: boolean;
  readonly fromMs: number | null;
  readonly toMs: number | null;
  readonly isDryRun: boolean;
  /** When the run must be over. */
  readonly limit: RunLimit;
}

/**
 * Yields one report for each lake table, by name. Throws REFUSED_MANIFEST when there are no exports, REFUSED_NO_TABLE when
 * none is of the table wanted.
 */
export async function* backfillExports(
  world: World,
  options: BackfillExportsOptions,
): AsyncGenerator<BackfillReport> {
  const discovery = await discoverExports(world.store, options.exportUris);
  tellOfNobodys(world, discovery);
  const { table, tableId, fromMs, toMs } = options;
  const tables = sortExports(discovery, {
    table: table ?? null,
    tableId,
    fromMs,
    toMs,
    nameOf: (source) => options.settingsOf?.(source).table,
  });
  if (tables.length === 0) throw nothingWanted(options, discovery);
  const guarded = guardCommits(world, options.limit);
  for (const found of tables) yield await new TableBackfill(guarded, options, found).run();
}

/** Exports that can be laid to no table. */
function tellOfNobodys({ reporter }: World, discovery: Discovery): void {
  const { unfinished, copies, unusable } = discovery;
  if (unfinished.length > 0) {
    reporter.note(`${unfinished.length} export(s) have not finished, or failed: left aside`);
  }
  if (copies > 0) reporter.note(`${copies} export(s) are there more than once`);
  for (const { summaryUri, tableArn, error } of unusable) {
    if (tableArn === null)
      reporter.warn(`${summaryUri} cannot be used: ${error.code} ${error.what}`);
  }
}

function nothingWanted(options: BackfillExportsOptions, discovery: Discovery): TidelakeError {
  const names = [...new Set(discovery.summaries.map(({ tableName }) => tableName))].sort();
  const wanted = options.tableId ?? options.table;
  return refuse(
    'REFUSED_NO_TABLE',
    `none of the ${discovery.summaries.length} exports there ${wanted === undefined || wanted === null ? 'can be used' : `is of ${wanted} in that time`}`,
    'nothing was written',
    names.length === 0
      ? 'name a folder of finished exports of whole tables'
      : `there are exports of ${names.slice(0, 20).join(', ')}`,
  );
}

function standOf({ state }: OpenTable): LakeStand {
  const { tableId, watermarkMs, baseline } = state;
  return { tableId, watermarkMs, hasSeam: baseline.exportTimeMs % 1000 !== 0 };
}

function rowsOf({ md }: OpenTable): number {
  return statedRows(currentSnapshot(md)?.summary ?? {}) ?? 0;
}

class TableBackfill {
  readonly #world: World;
  readonly #options: BackfillExportsOptions;
  readonly #found: LakeTableExports;
  readonly #startMs: number;
  #rowsInLake = 0;
  #loaded = 0;
  #merged = 0;

  constructor(world: World, options: BackfillExportsOptions, found: LakeTableExports) {
    this.#world = world;
    this.#options = options;
    this.#found = found;
    this.#startMs = world.clock.nowMs();
  }

  /** Does one table. What only concerns it is in the report, and never thrown. */
  async run(): Promise<BackfillReport> {
    let plan: TablePlan | null = null;
    try {
      const open = await this.#open();
      this.#rowsInLake = open === null ? 0 : rowsOf(open);
      const isRewinding = this.#isRewinding(open);
      plan = this.#plan(open, isRewinding);
      const key = await this.#keyFor(plan, open);
      if (plan.refusal !== null) return await this.#report(plan, 'refused', plan.refusal);
      if (this.#options.isDryRun) return await this.#report(plan, 'planned', null);
      const outcome = await this.#make(plan, key, isRewinding);
      return await this.#report(plan, outcome, null);
    } catch (error) {
      if (error instanceof TidelakeError && error.code === 'TIME_BUDGET') {
        return await this.#report(plan, 'stopped', null);
      }
      const facts = errorFacts(error);
      return await this.#report(plan, outcomeOf(facts), facts);
    }
  }

  async #open(): Promise<OpenTable | null> {
    const { store } = this.#world;
    const { database } = this.#options;
    const catalog = await openCatalog(this.#world, this.#options);
    return openTable({ store, catalog, database, table: this.#found.table });
  }

  /** Whether the lake is still to be taken back: the export that the past begins with was never loaded. */
  #isRewinding(open: OpenTable | null): boolean {
    if (!this.#options.rewind || open === null) return false;
    const first = this.#plan(null, true).epochs[0]?.full;
    if (first === undefined || first === null) return false;
    return !open.md.snapshots.some(
      ({ summary }) => summary['tidelake.export-arn'] === first.exportArn,
    );
  }

  #plan(open: OpenTable | null, isAnew: boolean): TablePlan {
    const { acceptTableId, acceptSeam } = this.#options;
    const lake = open === null || isAnew ? null : standOf(open);
    return planTable(this.#found, { lake, acceptTableId, acceptSeam });
  }

  /** The key of the table to load. Throws REFUSED_KEY when something is to be loaded and nobody knows. */
  async #keyFor(plan: TablePlan, open: OpenTable | null): Promise<readonly string[] | undefined> {
    const full = plan.epochs.find((one) => one.full !== null)?.full;
    if (full === undefined || full === null) return undefined;
    const { keys, keyOf } = this.#options;
    const named = keys.get(full.tableName) ?? keys.get(this.#found.table) ?? keys.get('');
    if (named !== undefined) return named;
    const configured = this.#options.settingsOf?.(full).key;
    if (configured !== undefined) return configured;
    if (open !== null && open.state.tableId === full.tableId) return undefined;
    const told = keyOf === null ? null : await keyOf(full);
    if (told !== null) return told;
    throw refuse(
      'REFUSED_KEY',
      `${full.tableName}: nothing tells which attributes are the key; no export names them`,
      'rows cannot be matched without the key; nothing was written of this table',
      `tidelake backfill with --key ${full.tableName}=PARTITION_KEY[,SORT_KEY]`,
    );
  }

  async #make(
    plan: TablePlan,
    key: readonly string[] | undefined,
    isRewinding: boolean,
  ): Promise<'done' | 'nothing' | 'stopped'> {
    const { reporter } = this.#world;
    const windows = plan.epochs.reduce((sum, one) => sum + one.windows.length, 0);
    if (windows === 0 && plan.epochs.every(({ full }) => full === null)) return 'nothing';
    const step = reporter.step(`${plan.table}: windows`, windows, 'windows');
    try {
      for (const [i, epoch] of plan.epochs.entries()) {
        if (!this.#options.limit.mayBegin) return 'stopped';
        if (epoch.full !== null) await this.#load(plan, epoch.full, key, isRewinding && i === 0);
        if (!(await this.#merge(plan.table, epoch, () => step.advance(1)))) return 'stopped';
      }
    } finally {
      step.done();
    }
    return this.#loaded + this.#merged === 0 ? 'nothing' : 'done';
  }

  async #load(
    plan: TablePlan,
    full: FullExport,
    key: readonly string[] | undefined,
    isRewinding: boolean,
  ): Promise<void> {
    const { buckets, partition, acceptTableId } = this.#options;
    const report = await loadExport(this.#world, {
      ...this.#target(plan.table),
      exportUri: full.summaryUri,
      rewind: isRewinding,
      ...(key === undefined ? {} : { key }),
      ...(buckets === undefined ? {} : { buckets }),
      ...(partition === undefined ? {} : { partition }),
      ...(acceptTableId === null ? {} : { acceptTableId }),
    });
    if (report.action === 'loaded') this.#loaded += 1;
  }

  /** Merges an epoch's windows. False when it was asked to stop first; throws what refused one. */
  async #merge(table: string, epoch: PlannedEpoch, onWindow: () => void): Promise<boolean> {
    if (epoch.windows.length === 0) return true;
    const { acceptSeam } = this.#options;
    const accept = { acceptGap: false, acceptSeam };
    const reports = mergeWindows(this.#world, { ...this.#target(table), ...accept }, epoch.windows);
    for await (const report of reports) {
      if (report.error !== null) throw new TidelakeError(report.error);
      if (report.action === 'applied') this.#merged += 1;
      onWindow();
      // Asking for the next one would begin it.
      if (!this.#options.limit.mayBegin)
        return report.exportArn === epoch.windows.at(-1)!.exportArn;
    }
    return true;
  }

  #target(table: string): Target & { readonly table: string; readonly settingsOf?: SettingsOf } {
    const { lake, database, catalog, settingsOf } = this.#options;
    return {
      lake,
      database,
      table,
      ...(catalog === undefined ? {} : { catalog }),
      ...(settingsOf === undefined ? {} : { settingsOf }),
    };
  }

  async #report(
    plan: TablePlan | null,
    action: BackfillReport['action'],
    error: ErrorFacts | null,
  ): Promise<BackfillReport> {
    const epochs = plan?.epochs ?? [];
    const windows = epochs.flatMap((one) => one.windows);
    const fulls = epochs.flatMap((one) => one.full ?? []);
    const isOnS3 = this.#options.lake.startsWith('s3:');
    return {
      action,
      database: this.#options.database,
      table: this.#found.table,
      tableId: plan?.group?.tableId ?? null,
      source: 'exports',
      from: epochs[0] === undefined ? null : formatInstant(epochs[0].startMs),
      to: epochs.length === 0 ? null : formatInstant(epochs.at(-1)!.reachMs),
      watermark: await this.#watermark(),
      epochs: epochs.map(reportEpoch),
      loads: fulls.length,
      windows: windows.length,
      loaded: this.#loaded,
      merged: this.#merged,
      requested: 0,
      findings: (plan?.findings ?? []).map(reportFinding),
      estimate: estimateExports(fulls, windows, { rowsInLake: this.#rowsInLake, isOnS3 }),
      error,
      seconds: (this.#world.clock.nowMs() - this.#startMs) / 1000,
    };
  }

  /** Where the lake is now; null when there is no table, or it cannot be read, which the error then says. */
  async #watermark(): Promise<string | null> {
    try {
      const open = await this.#open();
      return open === null ? null : formatInstant(open.state.watermarkMs);
    } catch (error) {
      if (error instanceof TidelakeError) return null;
      throw error;
    }
  }
}
