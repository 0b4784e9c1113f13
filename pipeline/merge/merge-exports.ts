// Incremental exports into a table: found, put in order, judged one by one, applied while they continue the chain.
// Windows applied stay applied. Exports named one by one must fit; of a parent folder, what is another table's is passed over.

import { refuse, TidelakeError } from '../../schemas/errors.js';
import type { ExportSummary, IncrementalExport } from '../../schemas/export-manifest.js';
import {
  type SettingsOf,
  type SourceSettings,
  withSettings,
} from '../../schemas/source-settings.js';
import { type RetypeRule, settingDefaults } from '../../schemas/table-settings.js';
import { findExports } from '../export/find-exports.js';
import { readSummary } from '../export/read-summary.js';
import { asLostRace, CommitAttempts } from '../lake/commit-attempts.js';
import { formatInstant } from '../lake/lake-state.js';
import { openCatalog } from '../lake/open-catalog.js';
import { type OpenTable, openTable } from '../lake/open-table.js';
import { tableNameOf } from '../lake/table-name.js';
import { checkWriter } from '../lake/watermark.js';
import type { Catalog, World } from '../ports.js';
import type { MergeReport, Target } from '../reports.js';
import { adoptSnapshot } from './adopt-snapshot.js';
import { longestChain } from './chain.js';
import type { ForcedWay } from './choose-way.js';
import { mergeWindow } from './merge-window.js';
import { judgeWindow } from './window-rule.js';

export interface MergeOptions extends Target {
  readonly exportUris: readonly string[];
  readonly acceptGap: boolean;
  readonly acceptSeam: boolean;
  /** A person's word that the rows of this snapshot, another program's, stand for the watermark. */
  readonly adoptSnapshot?: bigint;
  /** Whether number columns become wider by themselves [auto]. */
  readonly retype?: RetypeRule;
  /** Bytes of data files up to which they do [10 GiB]. */
  readonly retypeBytesMax?: number;
  /** What is configured for an export's table; what is given here goes before it. */
  readonly settingsOf?: SettingsOf;
  /** One way for every partition that is touched, instead of the cheaper one: files written anew, or rows marked as deleted. */
  readonly way?: ForcedWay;
}

/** What became of a window, and the table to go on with; null: it has to be opened anew. */
interface WindowResult {
  readonly report: MergeReport;
  readonly open: OpenTable | null;
}

interface Candidate {
  readonly summary: ExportSummary;
  /** Named by itself, not found below a parent folder. */
  readonly named: boolean;
}

/** Merges exports. Yields a report for each, in the order they were taken up; errors of single windows are reported,
 *  and end the run. Throws what cannot be laid to one export. */
export async function* mergeExports(
  world: World,
  options: MergeOptions,
): AsyncGenerator<MergeReport> {
  const candidates = await readCandidates(world, options.exportUris);
  const catalog = await openCatalog(world, options);
  const tables = new Map<string, Candidate[]>();
  for (const candidate of candidates) {
    const table = tableOf(options, candidate.summary);
    tables.set(table, [...(tables.get(table) ?? []), candidate]);
  }
  if (options.adoptSnapshot !== undefined && tables.size > 1)
    throw severalTables([...tables.keys()]);
  for (const [table, own] of tables) {
    const run = new TableMerge(world, catalog, options, table);
    if (!(yield* run.all(own))) return;
  }
}

/** Merges windows of one table whose summaries were read before. Each must continue the table, as when named one by one. */
export async function* mergeWindows(
  world: World,
  options: Omit<MergeOptions, 'exportUris'> & { readonly table: string },
  windows: readonly IncrementalExport[],
): AsyncGenerator<MergeReport> {
  const catalog = await openCatalog(world, options);
  const run = new TableMerge(world, catalog, { ...options, exportUris: [] }, options.table);
  yield* run.all(windows.map((summary) => ({ summary, named: true })));
}

/** The lake table that an export belongs to. */
function tableOf(options: MergeOptions, summary: ExportSummary): string {
  return withSettings(options, summary).table ?? tableNameOf(summary.tableName);
}

async function readCandidates(world: World, uris: readonly string[]): Promise<Candidate[]> {
  const candidates = new Map<string, Candidate>();
  for (const uri of uris) {
    const found = await findExports(world.store, uri);
    const place = uri.replace(/\/+$/, '');
    for (const summaryUri of found) {
      const named = summaryUri === place || summaryUri === `${place}/manifest-summary.json`;
      const summary = await readSummary(world.store, summaryUri);
      const known = candidates.get(summary.exportArn);
      if (known === undefined || (named && !known.named)) {
        candidates.set(summary.exportArn, { summary, named });
      }
    }
  }
  return [...candidates.values()];
}

class TableMerge {
  private readonly world: World;
  private readonly catalog: Catalog;
  private readonly options: MergeOptions;
  private readonly table: string;

  constructor(world: World, catalog: Catalog, options: MergeOptions, table: string) {
    this.world = world;
    this.catalog = catalog;
    this.options = options;
    this.table = table;
  }

  private async open(): Promise<OpenTable | null> {
    const { database } = this.options;
    return openTable({
      store: this.world.store,
      catalog: this.catalog,
      database,
      table: this.table,
    });
  }

  /** Merges this table's candidates; false when one was refused. */
  async *all(candidates: readonly Candidate[]): AsyncGenerator<MergeReport, boolean> {
    let open = await this.open();
    const named = candidates.some((candidate) => candidate.named);
    if (open === null) {
      if (!named && this.options.table === undefined) {
        for (const { summary } of candidates) {
          yield this.report(summary, { action: 'skipped', reason: 'the lake has no such table' });
        }
        return true;
      }
      const full = candidates.find((one) => one.summary.type === 'FULL_EXPORT' && one.named);
      throw full === undefined ? this.noTable() : fullGiven(full.summary);
    }
    const { adoptSnapshot: adopted } = this.options;
    if (adopted !== undefined) {
      open = await adoptSnapshot(this.world, this.catalog, open, adopted);
    }
    await checkWriter(this.world.store, open);
    const { windows, skipped } = this.sort(candidates, open);
    for (const { summary, reason } of skipped) {
      yield this.report(summary, { action: 'skipped', reason });
    }
    let state: OpenTable | null = open;
    for (const summary of windows) {
      const result: WindowResult = await this.one(state, summary);
      yield result.report;
      if (result.report.action === 'refused') return false;
      state = result.open;
    }
    return true;
  }

  private noTable(): TidelakeError {
    return refuse(
      'REFUSED_NO_TABLE',
      `there is no table ${this.options.database}.${this.table} in ${this.options.lake}`,
      'changes need the full export they follow; nothing was written',
      'tidelake load the full export first',
    );
  }

  /** The windows to take up, in order, and what is passed over. */
  private sort(
    candidates: readonly Candidate[],
    open: OpenTable,
  ): {
    windows: IncrementalExport[];
    skipped: { summary: ExportSummary; reason: string }[];
  } {
    const skipped: { summary: ExportSummary; reason: string }[] = [];
    const named: IncrementalExport[] = [];
    const found: IncrementalExport[] = [];
    for (const { summary, named: isNamed } of candidates) {
      if (summary.type === 'FULL_EXPORT') {
        if (isNamed) throw fullGiven(summary);
        skipped.push({ summary, reason: 'a full export: tidelake load takes those' });
      } else if (isNamed) named.push(summary);
      else if (summary.tableId !== open.state.tableId) {
        skipped.push({ summary, reason: 'of another table' });
      } else found.push(summary);
    }
    const byWindow = (a: IncrementalExport, b: IncrementalExport): number =>
      a.window.fromMs - b.window.fromMs || a.window.toMs - b.window.toMs;
    const { watermarkMs } = open.state;
    const startMs = Math.floor(watermarkMs / 1000) * 1000;
    const chain = longestChain(found, startMs);
    const chained = new Set(chain);
    const others = found.filter((summary) => !chained.has(summary)).sort(byWindow);
    // Windows beyond the chain are judged too: they are known, or say what is missing.
    const endMs = chain.at(-1)?.window.toMs ?? watermarkMs;
    const passed = others.filter(
      (one) =>
        one.window.fromMs < endMs && one.window.toMs > watermarkMs && one.window.toMs <= endMs,
    );
    for (const summary of passed) {
      skipped.push({ summary, reason: 'covered by other windows of the chain' });
    }
    const rest = others.filter((summary) => !passed.includes(summary));
    return { windows: [...named, ...chain, ...rest].sort(byWindow), skipped };
  }

  /** Takes up one window, on the table as it was opened, or as it is. */
  private async one(start: OpenTable | null, summary: IncrementalExport): Promise<WindowResult> {
    const startMs = this.world.clock.nowMs();
    const attempts = new CommitAttempts(this.world, this.table);
    let open = start;
    for (;;) {
      try {
        open ??= await this.open();
        if (open === null) throw this.noTable();
        return await this.attempt(open, summary, startMs, attempts);
      } catch (thrown) {
        try {
          const lost = open === null ? thrown : asLostRace(thrown, this.catalog, open, attempts);
          await attempts.again(await lost);
        } catch (error) {
          if (!(error instanceof TidelakeError)) throw error;
          const report = this.report(summary, {
            action: 'refused',
            error: error.facts(),
            watermark: open === null ? null : formatInstant(open.state.watermarkMs),
            seconds: (this.world.clock.nowMs() - startMs) / 1000,
          });
          return { report, open };
        }
        open = null;
      }
    }
  }

  private async attempt(
    open: OpenTable,
    summary: IncrementalExport,
    startMs: number,
    attempts: CommitAttempts,
  ): Promise<WindowResult> {
    await checkWriter(this.world.store, open);
    const judged = judgeWindow(open.state, this.table, summary, this.options);
    if (judged.verdict === 'refuse') throw judged.error;
    if (judged.verdict === 'known') {
      const report = this.report(summary, {
        action: 'known',
        watermark: formatInstant(open.state.watermarkMs),
        reason: 'the lake has this window',
      });
      return { report, open };
    }
    const { world, catalog } = this;
    const { newGap } = judged;
    const settings: SourceSettings = withSettings(this.options, summary);
    const merged = await mergeWindow(world, catalog, open, summary, newGap, attempts, {
      retype: settings.retype ?? settingDefaults.retype,
      retypeBytesMax: settings.retypeBytesMax ?? settingDefaults.retypeBytesMax,
      way: this.options.way,
    });
    // The commit is done: whatever cannot be read after it, this is what happened.
    const report = this.report(summary, {
      action: 'applied',
      inserted: merged.inserted,
      updated: merged.updated,
      deleted: merged.deleted,
      snapshotId: String(merged.snapshotId),
      watermark: formatInstant(summary.window.toMs),
      addedColumns: merged.evolution.added,
      retypedColumns: merged.evolution.retyped,
      misfits: merged.misfitRows,
      seconds: (this.world.clock.nowMs() - startMs) / 1000,
    });
    return { report, open: null };
  }

  private report(summary: ExportSummary, facts: Partial<MergeReport>): MergeReport {
    const window = summary.type === 'INCREMENTAL_EXPORT' ? summary.window : null;
    return {
      action: 'skipped',
      exportArn: summary.exportArn,
      table: this.table,
      from: window === null ? null : formatInstant(window.fromMs),
      to: window === null ? null : formatInstant(window.toMs),
      inserted: null,
      updated: null,
      deleted: null,
      snapshotId: null,
      watermark: null,
      addedColumns: [],
      retypedColumns: [],
      misfits: null,
      reason: null,
      error: null,
      seconds: 0,
      ...facts,
    };
  }
}

function severalTables(tables: readonly string[]): TidelakeError {
  return new TidelakeError({
    code: 'USAGE',
    what: `--adopt-snapshot is about one table, and there are exports of ${tables.join(', ')}`,
    meaning: 'nothing was written',
    next: '--table NAME, or exports of one table only',
  });
}

function fullGiven(summary: ExportSummary): TidelakeError {
  return refuse(
    'REFUSED_EXPORT_TYPE',
    `${summary.exportArn} is a full export`,
    'merge takes windows; a full export starts a new epoch; nothing was written',
    'tidelake load that export',
  );
}
