// Parts of a backfill's plan as a report has them: instants as text, every field there.

import type { ErrorFacts } from '../../schemas/errors.js';
import { formatInstant } from '../lake/lake-state.js';
import type { BackfillEpoch, BackfillFinding, BackfillReport } from '../reports.js';
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

/** What an error makes of a backfill. */
export function actionOf({ code }: ErrorFacts): BackfillReport['action'] {
  return code.startsWith('REFUSED_') ? 'refused' : 'failed';
}
