// `run --metrics emf`: the metrics of each round and of the run, as lines on stdout beside the reports.
// Promises: a table's metrics are told as soon as its round is over, so that a run that is cut off has told of the others.
// Source: docs/how-to/hourly-job.md, "Metrics".

import { outcomeOf, runMetrics, tableMetrics } from '../reporting/run-metrics.js';
import type { RoundReport } from '../reports.js';
import type { CliContext } from './context.js';
import { emfWriter } from './emf.js';

/** The lake's name where the environment has none. */
export const lakeNameDefault = 'tidelake';

export interface RunMeter {
  /** Tells of one round of a table. */
  table(report: RoundReport): void;
  /** Tells of the whole run. */
  run(reports: readonly RoundReport[]): void;
}

/** Opens a meter; its clock starts now. The lake is named by POWERTOOLS_SERVICE_NAME. */
export async function openRunMeter(context: CliContext): Promise<RunMeter> {
  const { clock, out, process: own } = context;
  const startMs = clock.nowMs();
  const write = await emfWriter({
    lake: own.env.POWERTOOLS_SERVICE_NAME || lakeNameDefault,
    write: (line) => out.write(line),
  });
  return {
    table: (report) => write(tableMetrics(outcomeOf(report)), report.table, clock.nowMs()),
    run: (reports) => {
      const nowMs = clock.nowMs();
      write(runMetrics(reports.map(outcomeOf), nowMs - startMs), null, nowMs);
    },
  };
}
