// Metrics as lines in CloudWatch's embedded metric format: whoever prints them into a log has them as metrics.
// Promises: one line per table and one per run, each valid by itself; nothing is sent anywhere. Powertools is loaded when the
// first writer is made.
// Source: Amazon CloudWatch User Guide, "Specification: Embedded metric format"; Powertools for AWS Lambda (TypeScript),
// "Metrics".

import {
  lakeDimension,
  type MetricValue,
  metricNamespace,
  tableDimension,
} from '../reporting/run-metrics.js';

export interface EmfOptions {
  /** The lake's name, as the dimension `service`. */
  readonly lake: string;
  /** Gets each line, with its end. */
  readonly write: (line: string) => void;
}

/** Writes the metrics of a table, or of the whole run where `table` is null, as of an instant. */
export type EmfWriter = (
  values: readonly MetricValue[],
  table: string | null,
  nowMs: number,
) => void;

/** Makes a writer. */
export async function emfWriter({ lake, write }: EmfOptions): Promise<EmfWriter> {
  const { Metrics } = await import('@aws-lambda-powertools/metrics');
  const quiet = (): void => {};
  const logger = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet };
  return (values, table, nowMs) => {
    const metrics = new Metrics({
      namespace: metricNamespace,
      defaultDimensions: { [lakeDimension]: lake },
      logger,
    });
    if (table !== null) metrics.addDimension(tableDimension, table);
    for (const { name, unit, value } of values) metrics.addMetric(name, unit, value);
    metrics.setTimestamp(nowMs);
    write(`${JSON.stringify(metrics.serializeMetrics())}\n`);
  };
}
