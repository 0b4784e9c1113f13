// One round of the scheduled job for one table: read what is, decide, do it, and decide again until only time or a person can
// help. It keeps nothing; whoever runs it twice, late, or after a crash does no harm.
// Promises: never throws for the table's own trouble: it is in the report; nothing is begun that the limit forbids; a race
// that was lost is looked at, not repeated.
// Source: the design, "The hourly job is a pure decision".

import { type ErrorFacts, outcomeOf, TidelakeError } from '../../schemas/errors.js';
import { exportPollMs, roundStepsMax } from '../../schemas/limits.js';
import { formatInstant } from '../lake/lake-state.js';
import { loadExport } from '../load/load-export.js';
import { mergeExports } from '../merge/merge-exports.js';
import type { TableExports, World } from '../ports.js';
import { errorFacts } from '../reporting/error-facts.js';
import type {
  LoadReport,
  MergeReport,
  RequestedExport,
  RoundReport,
  UpkeepReport,
  WaitingFor,
} from '../reports.js';
import type { UpkeepWhen } from '../upkeep/upkeep-due.js';
import { upkeepTable } from '../upkeep/upkeep-table.js';
import type { Action, LoadExport, MergeExports, RequestFull, RequestWindow } from './actions.js';
import { decide } from './decide.js';
import { prefixUri } from './export-place.js';
import { freshnessReport } from './freshness.js';
import { guardCommits, RunLimit } from './run-limit.js';
import type { Situation } from './situation.js';
import type { TableJob } from './table-job.js';
import { ExportMemory, TableWatch } from './table-watch.js';

export interface RoundOptions {
  /** When the run must be over. Default: no limit. */
  readonly limit?: RunLimit;
  /** What the rounds before in the same run learnt of exports that are over. */
  readonly memory?: ExportMemory;
  /** Upkeep to do after a round that brought something in, when it is due, unless the run is about to be over. Default: none. */
  readonly upkeep?: UpkeepWhen;
  /** Given, when the round begins, what tells how far it is: for a run that ends before the round does. */
  readonly onBegin?: (soFar: () => RoundReport) => void;
}

/** Does one round. The report says how fresh the lake is, what was done, and what is in the way. */
export async function runRound(
  world: World,
  exports: TableExports,
  job: TableJob,
  options: RoundOptions = {},
): Promise<RoundReport> {
  const round = new Round(world, exports, job, options);
  options.onBegin?.(() => round.soFar());
  return round.run();
}

/** How a round ends. */
interface End {
  readonly state: RoundReport['state'];
  readonly waitingFor: WaitingFor | null;
  readonly nextMs: number | null;
  readonly error: ErrorFacts | null;
}

/** A refusal of these codes may come from another run that changed the lake meanwhile. */
const raceCodes: ReadonlySet<string> = new Set([
  'COMMIT_CONFLICT',
  'REFUSED_FOREIGN_WRITER',
  'REFUSED_GAP',
  'REFUSED_GAP_CLOSED',
  'REFUSED_NO_TABLE',
  'REFUSED_OLDER',
  'REFUSED_OVERLAP',
  'REFUSED_SEAM',
  'REFUSED_TABLE_ID',
]);

/** Answers to a request that was right when it was decided: table or recovery have changed since. */
const staleCodes: ReadonlySet<string> = new Set([
  'REFUSED_NO_TABLE',
  'REFUSED_OUTSIDE_PITR',
  'REFUSED_PITR_OFF',
  'REFUSED_TOO_FRESH',
]);

class Round {
  readonly #world: World;
  readonly #exports: TableExports;
  readonly #job: TableJob;
  readonly #limit: RunLimit;
  readonly #watch: TableWatch;
  readonly #startMs: number;
  readonly #requested: RequestedExport[] = [];
  readonly #loads: LoadReport[] = [];
  readonly #merges: MergeReport[] = [];
  /** Tokens that are not asked for again in this round. */
  readonly #barred = new Set<string>();
  /** What DynamoDB answered to tokens it refused: news once, the end when the same is wanted again. */
  readonly #refused = new Map<string, ErrorFacts>();
  /** Trouble that was looked at once already. */
  readonly #looked = new Set<string>();
  readonly #when: UpkeepWhen | null;
  #upkeep: UpkeepReport | null = null;
  #isAtLimit = false;
  #reseeded: ErrorFacts | null = null;
  #situation: Situation | null = null;

  constructor(world: World, exports: TableExports, job: TableJob, options: RoundOptions) {
    this.#limit = options.limit ?? new RunLimit(world.clock);
    this.#world = guardCommits(world, this.#limit);
    this.#exports = exports;
    this.#job = job;
    this.#watch = new TableWatch(world, exports, job, options.memory ?? new ExportMemory());
    this.#when = options.upkeep ?? null;
    this.#startMs = world.clock.nowMs();
  }

  async run(): Promise<RoundReport> {
    try {
      // Each step does something, or ends the round; a merge takes all windows that are ready.
      for (let step = 0; step < roundStepsMax; step++) {
        const end = await this.#step();
        if (end === null) continue;
        if (end.error === null) await this.#keepUp();
        return this.#report(end);
      }
      return this.#report(this.#waiting('time-budget', this.#world.clock.nowMs()));
    } catch (error) {
      return this.#report(ended(errorFacts(error)));
    }
  }

  /** The report of a round that is cut off now: what it committed is in it. */
  soFar(): RoundReport {
    return this.#report(this.#outOfTime());
  }

  /** Looks, decides and acts; null: look again. */
  async #step(): Promise<End | null> {
    if (this.#limit.isStopping) return this.#waiting('stopped', this.#world.clock.nowMs());
    const situation = await this.#watch.situation(this.#limit.deadlineMs);
    this.#situation = situation;
    const actions = decide(situation);
    let end: End | null = null;
    let isNews = false;
    let contradicted: ErrorFacts | null = null;
    for (const action of actions) {
      switch (action.do) {
        case 'look':
          await this.#watch.look(action.s3Prefix);
          isNews = true;
          break;
        case 'reseed':
          this.#reseeded = action.why;
          break;
        case 'request-full':
        case 'request-window':
          // What DynamoDB describes says that it can be had, and DynamoDB says no: time alone does not end that.
          contradicted ??= this.#refused.get(action.request.clientToken) ?? null;
          if (await this.#request(action)) isNews = true;
          break;
        case 'merge':
          return this.#merge(action);
        case 'load':
          return this.#load(action);
        default:
          end = this.#endOf(action);
      }
    }
    if (isNews) return null;
    if (contradicted !== null && (end?.error ?? null) === null) return ended(contradicted);
    return end ?? this.#waiting('exports-running', this.#world.clock.nowMs() + exportPollMs);
  }

  #endOf(action: Action): End {
    switch (action.do) {
      case 'refuse':
        return ended(action.error);
      case 'nothing':
        return { state: 'fresh', waitingFor: null, nextMs: action.nextMs, error: null };
      case 'wait':
        return this.#waiting(this.#isAtLimit ? 'export-limit' : action.why, action.untilMs);
      default:
        throw new TypeError(`no end: ${action.do}`);
    }
  }

  #waiting(waitingFor: WaitingFor, nextMs: number): End {
    return { state: 'waiting', waitingFor, nextMs, error: null };
  }

  // -------------------------------------------------------------------------------------------- acting

  /** Asks for an export; true: what is known has changed. */
  async #request(action: RequestFull | RequestWindow): Promise<boolean> {
    const { request } = action;
    if (this.#barred.has(request.clientToken)) return false;
    // A token is asked with once in a round: what came of it is known then.
    this.#barred.add(request.clientToken);
    if (this.#isAtLimit) return false;
    let exportArn: string;
    try {
      exportArn = await this.#exports.requestExport(request);
    } catch (error) {
      if (!(error instanceof TidelakeError)) throw error;
      if (error.code === 'THROTTLED') {
        // Too many exports at once are no fault of this table; what is there already is still merged.
        this.#isAtLimit = true;
        return false;
      }
      if (!staleCodes.has(error.code)) throw error;
      this.#refused.set(request.clientToken, error.facts());
      this.#watch.doubt();
      return true;
    }
    this.#watch.note(exportArn);
    this.#requested.push(requestedExport(exportArn, action));
    return true;
  }

  async #merge({ exports }: MergeExports): Promise<End | null> {
    if (!this.#limit.mayBegin) return this.#outOfTime();
    const { target, rules } = this.#job;
    const reports = mergeExports(this.#world, {
      ...target,
      exportUris: exports.map(({ summaryUri }) => summaryUri!),
      acceptGap: false,
      acceptSeam: false,
      ...(rules === undefined
        ? {}
        : { retype: rules.retype, retypeBytesMax: rules.retypeBytesMax }),
    });
    for await (const report of reports) {
      this.#merges.push(report);
      if (report.error !== null) return this.#trouble(report.error, report.exportArn);
      // Asking for the next one would begin it.
      if (!this.#limit.mayBegin) return this.#outOfTime();
    }
    return null;
  }

  async #load({ export: full, acceptTableId }: LoadExport): Promise<End | null> {
    if (!this.#limit.mayBegin) return this.#outOfTime();
    const { target, buckets, partition, schedule, rules } = this.#job;
    const naming = rules?.naming ?? null;
    const key = this.#watch.table?.key ?? [];
    try {
      const report = await loadExport(this.#world, {
        ...target,
        exportUri: full.summaryUri!,
        key,
        rewind: schedule.mayRewind === true,
        ...(buckets === null ? {} : { buckets }),
        ...(partition === null ? {} : { partition }),
        ...(naming === null ? {} : { naming }),
        ...(acceptTableId === null ? {} : { acceptTableId }),
      });
      this.#loads.push(report);
      return null;
    } catch (error) {
      if (!(error instanceof TidelakeError)) throw error;
      return this.#trouble(error.facts(), full.exportArn);
    }
  }

  /** What an error of a load or a merge comes to: another look where another run may be behind it, else the end. */
  #trouble(error: ErrorFacts, exportArn: string): End | null {
    if (error.code === 'TIME_BUDGET') return this.#outOfTime();
    const which = `${error.code} ${exportArn}`;
    if (raceCodes.has(error.code) && !this.#looked.has(which)) {
      this.#looked.add(which);
      return null;
    }
    return ended(error);
  }

  #outOfTime(): End {
    const why = this.#limit.isStopping ? 'stopped' : 'time-budget';
    return this.#waiting(why, this.#limit.deadlineMs ?? this.#world.clock.nowMs());
  }

  /** Upkeep, after a round that brought something in. Its trouble is no trouble of the round: the rows are in, and it is due
   *  again after the next. */
  async #keepUp(): Promise<void> {
    const hasNews =
      this.#loads.length > 0 || this.#merges.some(({ action }) => action === 'applied');
    if (this.#when === null || !hasNews || !this.#limit.mayKeepUp) return;
    const { target } = this.#job;
    // What is still on its way when the time is over may end or not: it is safe to cut off, and due again then.
    this.#upkeep = await Promise.race([
      upkeepTable(this.#world, target, this.#when, () => this.#limit.mayKeepUp),
      this.#limit.upkeepOver().then(upkeepCutOff),
    ]);
    const { error } = this.#upkeep;
    if (error === null) return;
    this.#world.reporter.warn(
      `${target.table}: upkeep was not finished: ${error.code}  ${error.what}`,
    );
  }

  // -------------------------------------------------------------------------------------------- the report

  #report({ state, waitingFor, nextMs, error }: End): RoundReport {
    const { target, source } = this.#job;
    return {
      database: target.database,
      table: target.table,
      source,
      state,
      waitingFor,
      nextAt: nextMs === null ? null : formatInstant(nextMs),
      ...freshnessReport(this.#situation, lastWatermark(this.#loads, this.#merges)),
      running: runningExports(this.#situation),
      // A round that is cut off may go on: what was told of it stays as it was.
      requested: [...this.#requested],
      loads: [...this.#loads],
      merges: [...this.#merges],
      reseeded: this.#reseeded,
      upkeep: this.#upkeep,
      error,
      seconds: (this.#world.clock.nowMs() - this.#startMs) / 1000,
    };
  }
}

/** The instant of the newest commit of a round that ended before it could look again; null: there was none. */
function lastWatermark(
  loads: readonly LoadReport[],
  merges: readonly MergeReport[],
): string | null {
  const all = [...loads, ...merges].flatMap(({ watermark }) => watermark ?? []);
  return all.sort().at(-1) ?? null;
}

/** Exports of the table that are in progress and may be used. */
export function runningExports(situation: Situation | null): number {
  return (situation?.exports ?? []).filter(
    ({ state, isReadable, tableId }) =>
      isReadable &&
      tableId === situation?.table?.tableId &&
      (state === 'IN_PROGRESS' || state === 'UNKNOWN'),
  ).length;
}

/** The report of upkeep for which there was no time; what it committed is in the table's log. */
function upkeepCutOff(): UpkeepReport {
  const error = new TidelakeError({
    code: 'TIME_BUDGET',
    what: 'the time of the run was over before the upkeep was finished',
    meaning:
      'the lake is whole, and what was merged is in; upkeep is due again after the next window',
    next: 'more time for the run if it stays so, or tidelake compact and tidelake expire by hand',
  }).facts();
  return { compacted: [], expired: null, error };
}

function ended(error: ErrorFacts): End {
  const state = outcomeOf(error);
  return { state, waitingFor: null, nextMs: null, error };
}

export function requestedExport(
  exportArn: string,
  { request }: Pick<RequestFull | RequestWindow, 'request'>,
): RequestedExport {
  const { subject, destination, s3Prefix, attempt } = request;
  const isFull = subject.type === 'FULL_EXPORT';
  return {
    type: isFull ? 'full' : 'window',
    at: isFull ? formatInstant(subject.exportTimeMs) : null,
    from: isFull ? null : formatInstant(subject.window.fromMs),
    to: isFull ? null : formatInstant(subject.window.toMs),
    exportArn,
    place: prefixUri(destination, s3Prefix),
    attempt,
  };
}
