// What the next round of one table would do, and what it would cost: the same looks and the same decision as a round, and nothing
// done.
// Promises: no request that changes anything; never throws for the table's own trouble: it is in the report.
// Source: the design, "The hourly job is a pure decision"; price.ts.

import { outcomeOf } from '../../schemas/errors.js';
import { roundStepsMax } from '../../schemas/limits.js';
import type { GivenPrices } from '../../schemas/prices.js';
import { formatInstant } from '../lake/lake-state.js';
import type { TableExports, World } from '../ports.js';
import { errorFacts } from '../reporting/error-facts.js';
import type { PlannedAction, PlanReport } from '../reports.js';
import type { Action } from './actions.js';
import { decide } from './decide.js';
import { freshnessReport } from './freshness.js';
import { pricesOf } from './list-prices.js';
import { plannedSpending } from './planned-spending.js';
import { estimatePrice } from './price.js';
import { requestedExport, runningExports } from './run-round.js';
import type { Situation } from './situation.js';
import type { TableJob } from './table-job.js';
import { type BilledWindow, ExportMemory, TableWatch } from './table-watch.js';

export interface PlanOptions {
  /** Prices in place of the list's, in USD. */
  readonly prices?: GivenPrices | undefined;
}

/** Newest windows that an estimate averages: some hours, so that one odd window decides nothing. */
const averagedMax = 8;

/** What one round would do now. */
export async function planRound(
  world: World,
  exports: TableExports,
  job: TableJob,
  options: PlanOptions = {},
): Promise<PlanReport> {
  const memory = new ExportMemory();
  const watch = new TableWatch(world, exports, job, memory);
  let situation: Situation | null = null;
  try {
    for (let step = 0; step < roundStepsMax; step++) {
      situation = await watch.situation(null);
      const actions = decide(situation);
      const looks = actions.flatMap((one) => (one.do === 'look' ? [one.s3Prefix] : []));
      for (const s3Prefix of looks) await watch.look(s3Prefix);
      if (looks.length > 0) continue;
      const isAsking = actions.some((one) => one.do === 'request-window');
      const billed = isAsking ? await watch.billedWindows(averagedMax) : [];
      return planReport(job, watch, situation, actions, billed, options.prices);
    }
    throw new RangeError('a plan that needs too many looks');
  } catch (error) {
    return { ...emptyPlan(job, situation), ...planEnd([], errorFacts(error)) };
  }
}

function planReport(
  job: TableJob,
  watch: TableWatch,
  situation: Situation,
  actions: readonly Action[],
  billed: readonly BilledWindow[],
  given: GivenPrices | undefined,
): PlanReport {
  const table = watch.table ?? { sizeBytes: 0, itemCount: 0 };
  const spending = plannedSpending(table, billed, actions);
  const price = estimatePrice(spending, pricesOf(regionOf(watch), given));
  const planned = actions.flatMap((action) => plannedActions(action, spending));
  return {
    ...emptyPlan(job, situation),
    ...planEnd(actions, null),
    actions: planned,
    price: {
      usd: price.usd,
      lines: price.lines,
      assumptions: [...price.assumptions, ...spending.assumptions],
    },
  };
}

/** The Region of the table, whose exports are charged there. */
function regionOf({ table }: TableWatch): string {
  return table?.tableArn.split(':')[3] ?? 'us-east-1';
}

function emptyPlan(job: TableJob, situation: Situation | null): PlanReport {
  const { target, source } = job;
  return {
    database: target.database,
    table: target.table,
    source,
    state: 'failed',
    waitingFor: null,
    nextAt: null,
    ...freshnessReport(situation),
    running: runningExports(situation),
    actions: [],
    price: { usd: 0, lines: [], assumptions: [] },
    error: null,
  };
}

type PlanEnd = Pick<PlanReport, 'state' | 'waitingFor' | 'nextAt' | 'error'>;

function planEnd(actions: readonly Action[], thrown: PlanReport['error']): PlanEnd {
  const last = actions.at(-1);
  const error = last?.do === 'refuse' ? last.error : thrown;
  if (error !== null) {
    return { state: outcomeOf(error), waitingFor: null, nextAt: null, error };
  }
  if (last?.do === 'nothing') {
    return { state: 'fresh', waitingFor: null, nextAt: formatInstant(last.nextMs), error };
  }
  const nextAt = last?.do === 'wait' ? formatInstant(last.untilMs) : null;
  const waitingFor = last?.do === 'wait' ? last.why : null;
  return { state: 'waiting', waitingFor, nextAt, error };
}

const nothingPlanned = {
  at: null,
  from: null,
  to: null,
  exportArn: null,
  place: null,
  attempt: null,
  bytes: null,
} as const;

function plannedActions(
  action: Action,
  spending: ReturnType<typeof plannedSpending>,
): readonly PlannedAction[] {
  switch (action.do) {
    case 'request-full':
    case 'request-window': {
      const { at, from, to, place, attempt } = requestedExport('', action);
      const bytes = spending.bytesOf.get(action.request.clientToken) ?? null;
      return [{ ...nothingPlanned, do: action.do, at, from, to, place, attempt, bytes }];
    }
    case 'merge':
      return action.exports.map(({ exportArn, window, billedBytes }) => ({
        ...nothingPlanned,
        do: 'merge',
        from: formatInstant(window.fromMs),
        to: formatInstant(window.toMs),
        exportArn,
        bytes: billedBytes,
      }));
    case 'load': {
      const { exportArn, exportTimeMs, billedBytes } = action.export;
      const at = formatInstant(exportTimeMs);
      return [{ ...nothingPlanned, do: 'load', at, exportArn, bytes: billedBytes }];
    }
    case 'reseed':
      return [{ ...nothingPlanned, do: 'reseed' }];
    default:
      return [];
  }
}
