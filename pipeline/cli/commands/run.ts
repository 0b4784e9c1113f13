// `tidelake run`: one round of the scheduled job for each table, or rounds until each is fresh.
// Promises: one line per table on stdout, in the order in which they end, and of several a summary on stderr; one table's
// trouble never stops another; exit 0 also when there is nothing to do, 3 when a table is refused. Told to stop, it begins
// nothing new, starts no commit in the last 20 seconds of its grace, and says how to go on.
// Spec: DESIGN "The hourly job is a pure decision", "The command".

import { z } from 'zod';
import { tablesAtOnceDefault } from '../../../schemas/config.js';
import type { RoundReport } from '../../reports.js';
import { emptyRound, roundOfNone } from '../../schedule/no-round.js';
import { RunLimit } from '../../schedule/run-limit.js';
import type { TableJob } from '../../schedule/table-job.js';
import { checkInput, wholeNumber } from '../check-input.js';
import type { CliContext } from '../context.js';
import { endingInTime } from '../ending-in-time.js';
import { errorText } from '../error-text.js';
import type { GlobalFlags } from '../flags.js';
import { roundLine, worstExitCode } from '../round-text.js';
import { openRunMeter } from '../run-meter.js';
import { summaryLines } from '../run-summary.js';
import { inSession } from '../session.js';
import { exportsByPlace, jobsOf, type TableJobFlags } from '../table-jobs.js';

export interface RunFlags extends GlobalFlags, TableJobFlags {
  readonly wait?: boolean | undefined;
  readonly reseed?: boolean | undefined;
  readonly maxSeconds?: number | undefined;
  readonly graceSeconds?: number | undefined;
  readonly metrics?: 'emf' | undefined;
}

/** Time from SIGTERM to SIGKILL where nobody says (Amazon ECS Developer Guide, stopTimeout). */
const graceSecondsDefault = 30;

const runSchema = z.object({
  maxSeconds: wholeNumber(30, 7 * 86_400).optional(),
  graceSeconds: wholeNumber(1, 3600).optional(),
});

export async function run(this: CliContext, flags: RunFlags): Promise<void> {
  const input = checkInput(runSchema, flags, 'run');
  const { graceSeconds = graceSecondsDefault } = input;
  // What is read before the first round takes its time too.
  const startMs = this.clock.nowMs();
  await inSession(this, flags, { command: 'run' }, async (session) => {
    const { clock } = this;
    const budget = session.config.run ?? {};
    const maxSeconds = input.maxSeconds ?? budget.maxSeconds;
    const { jobs: configured, refused } = await jobsOf(this, session, flags, 'run');
    const jobs = configured.map((job) =>
      flags.reseed === true ? { ...job, schedule: { ...job.schedule, mayReseed: true } } : job,
    );
    const deadlineMs = Math.min(
      maxSeconds === undefined ? Number.POSITIVE_INFINITY : startMs + maxSeconds * 1000,
      this.deadlineMs ?? Number.POSITIVE_INFINITY,
    );
    const limit = new RunLimit(clock, Number.isFinite(deadlineMs) ? deadlineMs : null);
    const meter = flags.metrics === 'emf' ? await openRunMeter(this) : null;
    const reports: RoundReport[] = [];
    const take = async (report: RoundReport): Promise<void> => {
      reports.push(report);
      // Rounds of a run that waits are told one by one.
      if (flags.wait !== true) meter?.table(report);
      await session.print(report, [roundLine(report)]);
      if (report.error !== null) session.tell(errorText(report.error));
    };
    for (const one of refused) await take(roundOfNone(session.target.database, one));
    await endingInTime(this, session, { limit, graceSeconds }, async (isOver) => {
      const api = await session.api();
      const world = { ...session.world, clock };
      const exportsOf = exportsByPlace(this.openTableExports, session.aws);
      const rounds = api.runTables(world, jobs, exportsOf, {
        tablesAtOnceMax: budget.tablesAtOnceMax ?? tablesAtOnceDefault,
        isWaiting: flags.wait === true,
        limit,
        onRound: (round) => {
          meter?.table(round);
          if (round.state === 'waiting') session.world.reporter.note(roundLine(round));
        },
      });
      for await (const report of rounds) {
        if (isOver()) return;
        await take(report);
      }
    });
    const told = new Set(reports.map(({ table }) => table));
    for (const job of jobs.filter(({ target }) => !told.has(target.table))) {
      await take(dropped(job, limit));
    }
    if (reports.length > 1)
      session.tell(
        summaryLines(reports)
          .map((line) => `${line}\n`)
          .join(''),
      );
    meter?.run(reports);
    await this.out.ready();
    return worstExitCode(reports);
  });
}

/** The report of a table whose round was not finished. */
function dropped({ target, source }: TableJob, limit: RunLimit): RoundReport {
  const { database, table } = target;
  const waitingFor = limit.isStopping ? 'stopped' : 'time-budget';
  return emptyRound({ database, table, source, state: 'waiting', waitingFor, error: null });
}
