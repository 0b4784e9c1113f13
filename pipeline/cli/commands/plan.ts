// `tidelake plan`: what the next round would do for each table, and what it would cost.
// Promises: nothing is done, and no request changes anything; a table in trouble is shown with what heals it, and the exit
// code is 3 for one that is refused.
// Spec: DESIGN "The hourly job is a pure decision", "The command".

import { tablesAtOnceDefault } from '../../../schemas/config.js';
import { formatBytes, formatCount, formatInstant } from '../../reporting/human-numbers.js';
import { plainText } from '../../reporting/plain-text.js';
import type { PlannedAction, PlanReport } from '../../reports.js';
import { planOfNone, roundOfNone } from '../../schedule/no-round.js';
import type { CliContext } from '../context.js';
import { errorText } from '../error-text.js';
import type { GlobalFlags } from '../flags.js';
import { freshnessText, nextText, worstExitCode } from '../round-text.js';
import { summaryLines } from '../run-summary.js';
import { inSession } from '../session.js';
import { exportsByPlace, jobsOf, type TableJobFlags } from '../table-jobs.js';

export interface PlanFlags extends GlobalFlags, TableJobFlags {
  readonly reseed?: boolean | undefined;
}

export async function plan(this: CliContext, flags: PlanFlags): Promise<void> {
  await inSession(this, flags, { command: 'plan' }, async (session) => {
    const mayReseed = flags.reseed === true;
    const { jobs: configured, refused } = await jobsOf(this, session, flags, 'plan');
    const jobs = configured.map((job) => ({
      ...job,
      schedule: { ...job.schedule, mayReseed: mayReseed || job.schedule.mayReseed },
    }));
    const api = await session.api();
    const world = { ...session.world, clock: this.clock };
    const exportsOf = exportsByPlace(this.openTableExports, session.aws);
    const plans: PlanReport[] = [];
    const take = async (one: PlanReport): Promise<void> => {
      plans.push(one);
      await session.print(one, planLines(one));
      if (one.error !== null) session.tell(errorText(one.error));
    };
    for (const one of refused) await take(planOfNone(roundOfNone(session.target.database, one)));
    const tablesAtOnceMax = session.config.run?.tablesAtOnceMax ?? tablesAtOnceDefault;
    for await (const one of api.planTables(world, jobs, exportsOf, {
      tablesAtOnceMax,
      prices: session.config.prices,
    })) {
      await take(one);
    }
    if (plans.length > 1)
      session.tell(
        summaryLines(plans)
          .map((line) => `${line}\n`)
          .join(''),
      );
    return worstExitCode(plans);
  });
}

/** A plan in words: the table, its actions, its price. */
export function planLines(plan: PlanReport): string[] {
  const { price, actions } = plan;
  const lines = [`${plainText(plan.table)}  ${freshnessText(plan)}; ${nextText(plan)}`];
  lines.push(...actions.map((action) => `  ${actionText(action)}`));
  if (price.lines.length === 0) return lines;
  lines.push(`  price about ${formatUsd(price.usd)}`);
  for (const line of price.lines) {
    lines.push(`    ${line.what}: ${priceText(line)}: ${formatUsd(line.usd)}`);
  }
  lines.push(...price.assumptions.map((one) => `    assumed: ${one}`));
  return lines;
}

/** `0.01 GB at $0.10`; `9 requests at $0.005 per 1,000`. */
export function priceText({ quantity, unit, price }: PlanReport['price']['lines'][number]): string {
  const [, per, what] = /^(1(?:,000)+) (.+)$/.exec(unit) ?? [];
  if (per === undefined) {
    return `${Number(quantity.toPrecision(3))} ${unit} at ${formatUsd(price)}`;
  }
  const count = Math.round(quantity * Number(per.replaceAll(',', '')));
  return `${formatCount(count)} ${what} at ${formatUsd(price)} per ${per}`;
}

function actionText(action: PlannedAction): string {
  const window =
    action.from === null || action.to === null
      ? ''
      : `${formatInstant(action.from)} to ${formatInstant(action.to)}`;
  const at = action.at === null ? '' : formatInstant(action.at);
  const size =
    action.bytes === null || action.bytes === 0 ? '' : `, about ${formatBytes(action.bytes)}`;
  const again =
    action.attempt === null || action.attempt === 1 ? '' : `, attempt ${action.attempt}`;
  switch (action.do) {
    case 'request-window':
      return `ask for ${window}${size}${again}`;
    case 'request-full':
      return `ask for a full export at ${at}${size}${again}`;
    case 'merge':
      return `merge ${window}${sizeOfExport(action)}`;
    case 'load':
      return `load the full export at ${at}${sizeOfExport(action)}`;
    case 'reseed':
      return 'begin a new epoch, since the chain cannot go on';
  }
}

/** Of an export that is there. What DynamoDB has forgotten is not read for a plan. */
function sizeOfExport({ bytes }: PlannedAction): string {
  return bytes === null
    ? ', of a size not known before it is read'
    : `, billed ${formatBytes(bytes)}`;
}

/** Dollars: two digits after the point, and more for what is below a cent. */
function formatUsd(usd: number): string {
  if (usd === 0) return '$0';
  return usd >= 0.01 ? `$${usd.toFixed(2)}` : `$${Number(usd.toPrecision(2))}`;
}
