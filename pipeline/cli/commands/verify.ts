// `tidelake verify`: every promise about a lake table, checked on its files.
// Promises exit 4 when one does not hold, with the checks that failed on stderr as one error.
// Spec: DESIGN "The command".

import { formatNumberOf } from '../../reporting/human-numbers.js';
import { plainText } from '../../reporting/plain-text.js';
import type { VerifyReport } from '../../reports.js';
import type { CliContext } from '../context.js';
import { errorText } from '../error-text.js';
import type { GlobalFlags } from '../flags.js';
import { inSession } from '../session.js';

export async function verify(this: CliContext, flags: GlobalFlags): Promise<void> {
  await inSession(this, flags, { command: 'verify' }, async (session) => {
    const api = await session.api();
    const reports = await api.verify(session.world, session.target);
    for (const report of reports) await session.print(report, verifyLines(report));
    const broken = reports.filter((report) => !report.ok);
    for (const report of broken) session.tell(errorText(brokenFacts(report)));
    return broken.length === 0 ? 0 : 4;
  });
}

/** One line per check. */
export function verifyLines(report: VerifyReport): string[] {
  return report.checks.map((check) => {
    const said = check.detail === '' ? '' : `: ${plainText(check.detail)}`;
    return `${check.ok ? 'ok     ' : 'FAILED '} ${plainText(report.table)}  ${plainText(check.name)}${said}`;
  });
}

function brokenFacts(report: VerifyReport): Parameters<typeof errorText>[0] {
  const failed = report.checks.filter((check) => !check.ok);
  return {
    code: 'CHECK_FAILED',
    what: `${report.table}: ${failed.length} of ${formatNumberOf(report.checks.length, 'check')} failed: ${failed.map((check) => check.name).join(', ')}`,
    meaning:
      'the files of this table are not as they were written; what is read from them may be wrong',
    next: 'load a full export again: tidelake load EXPORT',
  };
}
