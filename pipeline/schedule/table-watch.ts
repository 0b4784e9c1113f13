// What a round of one table knows of the world: reads what `decide` wants to know, and remembers within the run what cannot
// change any more.
// Promises: nothing is changed and no item is read; exports are listed only while one can matter, and only those are described
// that do; an export that is over is described once in a run; what S3 has at a prefix is read when it is asked for.
// Source: the design, "The hourly job is a pure decision"; Amazon DynamoDB API Reference, ListExports (90 days, no promised
// order), DescribeExport.

import { TidelakeError } from '../../schemas/errors.js';
import type { Window } from '../../schemas/export-manifest.js';
import { tableFactsAgeMsMax } from '../../schemas/limits.js';
import type { KnownExport, PitrFacts } from '../../schemas/table-exports.js';
import { findExportFolders, requestedAtOf } from '../export/find-export-folders.js';
import { readSummary } from '../export/read-summary.js';
import { openCatalog } from '../lake/open-catalog.js';
import { type OpenTable, openTable } from '../lake/open-table.js';
import { watermarkProblem } from '../lake/watermark.js';
import type { ListedExport, TableDescription, TableExports, World } from '../ports.js';
import { isBelow, prefixUri, subjectOf } from './export-place.js';
import { fullsPrefix } from './export-request.js';
import type { LakeFacts, ScheduleConfig, Situation } from './situation.js';
import type { TableJob } from './table-job.js';
import { windowAfter } from './windows.js';

/** What is known of exports that are over; one for all rounds of a run. */
export class ExportMemory {
  readonly #known = new Map<string, KnownExport>();

  get(exportArn: string): KnownExport | null {
    return this.#known.get(exportArn) ?? null;
  }

  keep(one: KnownExport): void {
    const isOver = one.state === 'FAILED' || (one.state === 'COMPLETED' && one.summaryUri !== null);
    if (isOver) this.#known.set(one.exportArn, one);
  }
}

/** A window, and the bytes it was charged by. */
export interface BilledWindow {
  readonly window: Window;
  readonly billedBytes: number;
}

/** Exports that are looked at for what windows were billed: a page of ListExports. */
const estimateListedMax = 25;

const pitrOff: PitrFacts = { isEnabled: false, earliestMs: null, latestMs: null, periodDays: null };
/** As with recovery that was switched on just now: there is no instant to export yet. */
const pitrToCome: PitrFacts = { ...pitrOff, isEnabled: true };

/** What is asked of the world for one table, in one round. */
export class TableWatch {
  readonly #world: Pick<World, 'store' | 'clock' | 'glueCatalog'>;
  readonly #exports: TableExports;
  readonly #job: TableJob;
  readonly #memory: ExportMemory;
  readonly #looked: string[] = [];
  /** Found in S3, or asked for in this round. */
  readonly #found = new Map<string, KnownExport>();
  /** ARNs to be described, found by looking or asked for. */
  readonly #noted = new Set<string>();
  #listed: readonly ListedExport[] | null = null;
  #isListedWhole = false;
  #listedFromMs = Number.POSITIVE_INFINITY;
  #table: TableDescription | null = null;
  #pitr: PitrFacts = pitrOff;
  #readAtMs: number | null = null;

  constructor(
    world: Pick<World, 'store' | 'clock' | 'glueCatalog'>,
    exports: TableExports,
    job: TableJob,
    memory: ExportMemory,
  ) {
    this.#world = world;
    this.#exports = exports;
    this.#job = job;
    this.#memory = memory;
  }

  /** The table as DynamoDB describes it; null: there is none. */
  get table(): TableDescription | null {
    return this.#table;
  }

  /** What is, now. Throws what reading the lake throws, and errors of DynamoDB and S3. */
  async situation(deadlineMs: number | null): Promise<Situation> {
    const { store, clock } = this.#world;
    const { target, schedule } = this.#job;
    const catalog = await openCatalog(this.#world, target);
    const { database, table } = target;
    const open = await openTable({ store, catalog, database, table });
    await this.#readTable();
    const lake = open === null || isToRewind(open, schedule) ? null : await lakeFacts(store, open);
    return {
      lake,
      table: this.#table,
      pitr: this.#pitr,
      exports: await this.#knownExports(lake, open),
      looked: [...this.#looked],
      nowMs: clock.nowMs(),
      config: { ...schedule, deadlineMs },
    };
  }

  /** Reads what lies below a prefix of the bucket. */
  async look(s3Prefix: string): Promise<void> {
    const { destination } = this.#job.schedule;
    const table = this.#table;
    this.#looked.push(s3Prefix);
    if (table === null) return;
    const found = await findExportFolders(this.#world.store, prefixUri(destination, s3Prefix));
    for (const { exportId, folder, summaryUri } of found) {
      const exportArn = `${table.tableArn}/export/${exportId}`;
      const prefix = folder === '' ? s3Prefix : `${s3Prefix}/${folder}`;
      if ((await this.#describe(exportArn)) !== null) {
        this.#noted.add(exportArn);
        continue;
      }
      const known = await this.#knownByS3(exportArn, exportId, prefix, summaryUri);
      if (known !== null) this.#found.set(exportArn, known);
    }
  }

  /** Takes up an export that was asked for just now. */
  note(exportArn: string): void {
    this.#noted.add(exportArn);
  }

  /** What the newest windows that DynamoDB still knows were billed, `countMax` at most: for an estimate, not for decisions. */
  async billedWindows(countMax: number): Promise<readonly BilledWindow[]> {
    const table = this.#table;
    if (table === null) return [];
    const arns: string[] = [];
    let listed = 0;
    for await (const { exportArn, state, type } of this.#exports.listExports(table.tableArn)) {
      if (state === 'COMPLETED' && type === 'INCREMENTAL_EXPORT') arns.push(exportArn);
      listed += 1;
      if (listed === estimateListedMax) break;
    }
    arns.sort((a, b) => (requestedMs(b) ?? 0) - (requestedMs(a) ?? 0));
    const billed: BilledWindow[] = [];
    for (const exportArn of arns.slice(0, countMax)) {
      const one = this.#memory.get(exportArn) ?? (await this.#exports.describeExport(exportArn));
      if (one?.type !== 'INCREMENTAL_EXPORT' || one.billedBytes === null) continue;
      billed.push({ window: one.window, billedBytes: one.billedBytes });
    }
    return billed;
  }

  /** Forgets what DynamoDB said of table and recovery: something contradicted it. */
  doubt(): void {
    this.#readAtMs = null;
  }

  async #readTable(): Promise<void> {
    const nowMs = this.#world.clock.nowMs();
    if (this.#readAtMs !== null && nowMs - this.#readAtMs < tableFactsAgeMsMax) return;
    this.#table = await this.#exports.describeTable(this.#job.source);
    this.#pitr = this.#table === null ? pitrOff : await this.#readPitr(this.#table);
    this.#readAtMs = nowMs;
  }

  /** A table deleted between two questions has no recovery. Of one that is still being made nobody can say yet. */
  async #readPitr({ tableArn, status }: TableDescription): Promise<PitrFacts> {
    if (status === 'CREATING') return pitrToCome;
    try {
      return await this.#exports.describePitr(tableArn);
    } catch (error) {
      if (error instanceof TidelakeError && error.code === 'REFUSED_NO_TABLE') return pitrOff;
      throw error;
    }
  }

  // -------------------------------------------------------------------------------------------- exports

  async #knownExports(
    lake: LakeFacts | null,
    open: OpenTable | null,
  ): Promise<readonly KnownExport[]> {
    const table = this.#table;
    if (table === null) return [...this.#found.values()];
    // An export is asked for after all that is in it, so an older one is in the lake, or before it.
    const { baselineMs } = this.#job.schedule;
    const fromMs =
      lake?.watermarkMs ?? baselineMs ?? this.#pitr.earliestMs ?? Number.POSITIVE_INFINITY;
    const isFullWanted =
      lake === null || this.#looked.includes(fullsPrefix(table, this.#job.schedule));
    if (isFullWanted || this.#mayHaveWindow(lake)) await this.#list(table.tableArn, fromMs);
    const inLake = arnsIn(open);
    const arns = new Set(this.#noted);
    for (const { exportArn, type } of this.#listed ?? []) {
      const isOfUse =
        (requestedMs(exportArn) ?? fromMs) >= fromMs &&
        !inLake.has(exportArn) &&
        (type === 'INCREMENTAL_EXPORT' ? lake !== null || baselineMs !== undefined : isFullWanted);
      if (isOfUse) arns.add(exportArn);
    }
    const known: KnownExport[] = [];
    for (const exportArn of arns) {
      const one = inLake.has(exportArn) ? null : await this.#describe(exportArn);
      if (one !== null) known.push(one);
    }
    const described = new Set(known.map(({ exportArn }) => exportArn));
    return [...known, ...[...this.#found.values()].filter((one) => !described.has(one.exportArn))];
  }

  /**
   * Whether a window after the watermark can have been exported. Before its end it cannot, so a quiet round lists nothing:
   * in an order that begins with the oldest, it would read 90 days. A shorter window of somebody else's is seen a little later.
   */
  #mayHaveWindow({ tableId, watermarkMs }: LakeFacts): boolean {
    const { latestMs } = this.#pitr;
    if (latestMs === null || tableId !== this.#table?.tableId) return true;
    return windowAfter(watermarkMs, this.#job.schedule.grainMinutes).toMs <= latestMs;
  }

  /**
   * Lists exports, once in a round, as far back as they can matter. AWS promises no order: where ids are seen to go back in
   * time the rest is older still; else all is read. Correctness does not hang on it, since whatever is not listed is found
   * again by its token or its prefix.
   */
  async #list(tableArn: string, fromMs: number): Promise<void> {
    if (this.#listed !== null && (this.#isListedWhole || fromMs >= this.#listedFromMs)) return;
    const listed: ListedExport[] = [];
    let lastMs: number | null = null;
    let isFalling = false;
    let isRising = false;
    this.#isListedWhole = true;
    for await (const one of this.#exports.listExports(tableArn)) {
      listed.push(one);
      const ms = requestedMs(one.exportArn);
      if (ms === null) continue;
      if (lastMs !== null && ms < lastMs) isFalling = true;
      if (lastMs !== null && ms > lastMs) isRising = true;
      lastMs = ms;
      if (ms < fromMs && isFalling && !isRising) {
        this.#isListedWhole = false;
        break;
      }
    }
    this.#listed = listed;
    this.#listedFromMs = fromMs;
  }

  /** An export as it is now, narrowed to what this job may use; null: DynamoDB does not know it. */
  async #describe(exportArn: string): Promise<KnownExport | null> {
    const remembered = this.#memory.get(exportArn);
    if (remembered !== null) return remembered;
    const described = await this.#exports.describeExport(exportArn);
    if (described === null) return null;
    const isReadable = described.isReadable && isBelow(this.#job.schedule.destination, described);
    // A completed export whose files somebody removed is not there to be merged.
    const isThere =
      isReadable &&
      described.summaryUri !== null &&
      (await this.#world.store.size(described.summaryUri)) !== null;
    const known: KnownExport = {
      ...described,
      isReadable,
      summaryUri: isThere ? described.summaryUri : null,
    };
    this.#memory.keep(known);
    return known;
  }

  /** What S3 alone tells of an export; null: it is of no use to this job. */
  async #knownByS3(
    exportArn: string,
    exportId: string,
    s3Prefix: string,
    summaryUri: string | null,
  ): Promise<KnownExport | null> {
    const { schedule } = this.#job;
    const table = this.#table!;
    const base = {
      exportArn,
      tableId: table.tableId,
      failureCode: null,
      clientToken: null,
      s3Bucket: schedule.destination.s3Bucket,
      s3Prefix,
      summaryUri,
      requestedAtMs: requestedAtOf(exportId) ?? 0,
      billedBytes: null,
      isReadable: true,
    };
    if (summaryUri === null) {
      const subject = subjectOf(s3Prefix, table);
      if (subject === null) return null;
      return typeof subject === 'number'
        ? { ...base, state: 'UNKNOWN', type: 'FULL_EXPORT', exportTimeMs: subject }
        : { ...base, state: 'UNKNOWN', type: 'INCREMENTAL_EXPORT', window: subject };
    }
    try {
      const summary = await readSummary(this.#world.store, summaryUri);
      const { tableId, exportArn: ownArn } = summary;
      const done = { ...base, exportArn: ownArn, tableId, state: 'COMPLETED' } as const;
      return summary.type === 'FULL_EXPORT'
        ? { ...done, type: summary.type, exportTimeMs: summary.exportTimeMs }
        : { ...done, type: summary.type, window: summary.window };
    } catch (error) {
      // A filtered export, or one in another format, continues nothing: it is as if it were not there.
      const isOther =
        error instanceof TidelakeError && /^REFUSED_(FILTERED|FORMAT)$/.test(error.code);
      if (isOther) return null;
      throw error;
    }
  }
}

/** Whether a table is still to be taken back to the instant that its past is to begin with. */
export function isToRewind(
  { state }: OpenTable,
  { baselineMs, mayRewind }: ScheduleConfig,
): boolean {
  return (
    mayRewind === true && baselineMs !== undefined && state.baseline.exportTimeMs !== baselineMs
  );
}

async function lakeFacts(store: World['store'], open: OpenTable): Promise<LakeFacts> {
  const { epoch, tableId, watermarkMs, gaps } = open.state;
  const problem = await watermarkProblem(store, open);
  return { epoch, tableId, watermarkMs, gaps, doubt: problem?.facts() ?? null };
}

/** Exports that the lake's snapshots name: what is in needs not be described. */
function arnsIn(open: OpenTable | null): ReadonlySet<string> {
  const arns = (open?.md.snapshots ?? []).flatMap(
    ({ summary }) => summary['tidelake.export-arn'] ?? [],
  );
  return new Set(open === null ? [] : [...arns, open.state.baseline.exportArn]);
}

function requestedMs(exportArn: string): number | null {
  return requestedAtOf(exportArn.slice(exportArn.lastIndexOf('/') + 1));
}
