// What the scheduled job tells CloudWatch: names, units and dimensions of its metrics, and their values for a run.
// Promises: numbers and names of tables only, never content of items. Alarms of the stack are made of these names.
// Source: docs/how-to/hourly-job.md, "Metrics"; Amazon CloudWatch User Guide, "Specification: Embedded metric format".

import type { RoundReport } from '../reports.js';

/** Namespace of all metrics. */
export const metricNamespace = 'Tidelake';

/** Dimension that names the lake (the service, in the words of Powertools), and the one that names the lake table. */
export const lakeDimension = 'service';
export const tableDimension = 'table';

export type TableMetric =
  | 'LagSeconds'
  | 'WindowsMerged'
  | 'ExportsLoaded'
  | 'RowsChanged'
  | 'ExportsRequested'
  | 'ExportsRunning'
  | 'Late'
  | 'Refused'
  | 'Failed';

export type RunMetric =
  | 'Tables'
  | 'TablesFresh'
  | 'TablesLate'
  | 'TablesRefused'
  | 'TablesFailed'
  | 'LagSeconds'
  | 'RunSeconds';

/** One point of a metric. */
export interface MetricValue {
  readonly name: TableMetric | RunMetric;
  readonly unit: 'Count' | 'Seconds';
  readonly value: number;
}

/** What a run did for one table, and how it left it. */
export interface TableOutcome {
  readonly table: string;
  /** Late and refused, or late and failed, may come together. */
  readonly isLate: boolean;
  readonly isRefused: boolean;
  readonly isFailed: boolean;
  /** Age of the watermark; null while there is no lake table, or nobody knows. */
  readonly lagMs: number | null;
  readonly windowsMerged: number;
  readonly exportsLoaded: number;
  readonly rowsChanged: number;
  readonly exportsRequested: number;
  readonly exportsRunning: number;
}

/** What the report of a table's round, or of its rounds together, says. */
export function outcomeOf(report: RoundReport): TableOutcome {
  const { table, state, late, lagSeconds, merges, loads, requested, running } = report;
  const applied = merges.filter(({ action }) => action === 'applied');
  return {
    table,
    isLate: late,
    isRefused: state === 'refused',
    isFailed: state === 'failed',
    lagMs: lagSeconds === null ? null : lagSeconds * 1000,
    windowsMerged: applied.length,
    exportsLoaded: loads.filter(({ action }) => action === 'loaded').length,
    rowsChanged: applied.reduce(
      (sum, { inserted, updated, deleted }) =>
        sum + (inserted ?? 0) + (updated ?? 0) + (deleted ?? 0),
      0,
    ),
    exportsRequested: requested.length,
    exportsRunning: running,
  };
}

/** Metrics of one table. Without a lag there is none of it: silence is an alarm, a number made up would not be. */
export function tableMetrics(outcome: TableOutcome): readonly MetricValue[] {
  return [
    ...lag(outcome.lagMs),
    count('WindowsMerged', outcome.windowsMerged),
    count('ExportsLoaded', outcome.exportsLoaded),
    count('RowsChanged', outcome.rowsChanged),
    count('ExportsRequested', outcome.exportsRequested),
    count('ExportsRunning', outcome.exportsRunning),
    count('Late', Number(outcome.isLate)),
    count('Refused', Number(outcome.isRefused)),
    count('Failed', Number(outcome.isFailed)),
  ];
}

/** Metrics of a run over all its tables. The lag is that of the stalest, and known only if all are. */
export function runMetrics(
  outcomes: readonly TableOutcome[],
  elapsedMs: number,
): readonly MetricValue[] {
  const totals = totalsOf(outcomes);
  const lags = outcomes.map(({ lagMs }) => lagMs);
  const known = lags.filter((one) => one !== null);
  const isKnown = known.length > 0 && known.length === lags.length;
  return [
    ...lag(isKnown ? known.reduce((a, b) => Math.max(a, b)) : null),
    count('Tables', totals.tables),
    count('TablesFresh', totals.fresh),
    count('TablesLate', totals.late),
    count('TablesRefused', totals.refused),
    count('TablesFailed', totals.failed),
    { name: 'RunSeconds', unit: 'Seconds', value: elapsedMs / 1000 },
  ];
}

/** How many tables are how. A table counts as fresh when there is nothing bad to say of it. */
export interface RunTotals {
  readonly tables: number;
  readonly fresh: number;
  readonly late: number;
  readonly refused: number;
  readonly failed: number;
}

export function totalsOf(outcomes: readonly TableOutcome[]): RunTotals {
  const many = (is: (one: TableOutcome) => boolean): number => outcomes.filter(is).length;
  return {
    tables: outcomes.length,
    fresh: many((one) => !one.isLate && !one.isRefused && !one.isFailed && one.lagMs !== null),
    late: many(({ isLate }) => isLate),
    refused: many(({ isRefused }) => isRefused),
    failed: many(({ isFailed }) => isFailed),
  };
}

function lag(lagMs: number | null): readonly MetricValue[] {
  return lagMs === null ? [] : [{ name: 'LagSeconds', unit: 'Seconds', value: lagMs / 1000 }];
}

function count(name: TableMetric | RunMetric, value: number): MetricValue {
  return { name, unit: 'Count', value };
}
