// Parts of a backfill's plan as a report has them: instants as text, every field there.

import { outcomeOf } from '../../schemas/errors.js';
import { formatInstant } from '../lake/lake-state.js';
import type { BackfillEpoch, BackfillFinding, BackfillReport } from '../reports.js';
import type { RefusedTable } from '../schedule/configured-tables.js';
import type { Finding } from './findings.js';
import type { PlannedEpoch } from './plan-epochs.js';

export function reportEpoch(epoch: PlannedEpoch): BackfillEpoch {
  return {
    full: epoch.full?.exportArn ?? null,
    from: formatInstant(epoch.startMs),
    to: formatInstant(epoch.reachMs),
    windows: epoch.windows.length,
  };
}

export function reportFinding(finding: Finding): BackfillFinding {
  const { kind, fromMs, toMs, exports, isBlocking, what, next } = finding;
  return {
    kind,
    from: fromMs === null ? null : formatInstant(fromMs),
    to: toMs === null ? null : formatInstant(toMs),
    exports,
    blocking: isBlocking,
    what,
    next,
  };
}

/** The report of a table out of recovery whose backfill was not begun: refused by the configuration, or not to be reached. */
export function backfillOfNone(database: string, { table, error }: RefusedTable): BackfillReport {
  return {
    action: outcomeOf(error),
    database,
    table,
    tableId: null,
    source: 'recovery',
    from: null,
    to: null,
    watermark: null,
    epochs: [],
    loads: 0,
    windows: 0,
    loaded: 0,
    merged: 0,
    requested: 0,
    findings: [],
    estimate: { items: 0, bytes: 0, files: 0, seconds: 0, usd: 0, assumptions: [] },
    error,
    seconds: 0,
  };
}
