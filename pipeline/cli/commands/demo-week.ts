// `tidelake demo --week` (or `--days N`): virtual days of the scheduled job, over a DynamoDB table that lives.
// Promises: `plan` and `run` as anybody has them, every six hours of a simulator's clock; at the end the lake is compared with the
// table, the plans' prices with the simulator's bill, and the table's consumed capacity with nothing.
// Spec: DESIGN "The hourly job is a pure decision", "The command".

import type { Simulator } from '../../local/simulator-server.js';
import type { Clock, World } from '../../ports.js';
import { formatInstant, formatNumberOf, formatSeconds } from '../../reporting/human-numbers.js';
import { NullReporter } from '../../reporting/null-reporter.js';
import type { PlanReport, RoundReport, Target } from '../../reports.js';
import type { ExportsOf } from '../../schedule/run-tables.js';
import type { TableJob } from '../../schedule/table-job.js';
import type { Bill } from '../../simulator/aws/bill.js';
import type { TidelakeApi } from '../api.js';
import { roundLine } from '../round-text.js';
import type { SimulatorModule } from '../simulator-module.js';
import { digestOfItems, digestOfUnloaded, isSameDigest } from './item-digest.js';
import { planLines } from './plan.js';

/** Versions of items are held in memory, and a demo is to be quick. */
export const demoWeekItemsMax = 20_000;

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** Hours of a window. */
export const demoWeekGrainHours = 6;
/** Rounds of one window at most: asking, merging, and both again after a failure. */
const roundsMax = 4;
/** Exports of the simulator take ten minutes. */
const pauseMs = 11 * minuteMs;

export interface DemoWeekParts {
  readonly api: TidelakeApi;
  readonly simulator: SimulatorModule;
  readonly aws: Pick<Simulator, 'clock' | 'dynamodb' | 'bill'>;
  readonly job: TableJob;
  readonly exportsOf: ExportsOf;
  /** Prints text as it stands. */
  readonly say: (text: string) => Promise<void>;
  /** Where the table comes back to, as a URI. */
  readonly unloadedUri: string;
  readonly items: number;
  readonly days: number;
}

/** What the week came to, for --json. */
export interface DemoWeekReport {
  readonly lake: string;
  /** Rounds in which something happened, in order. */
  readonly rounds: readonly RoundReport[];
  readonly windows: number;
  /** Exports that failed and were asked for again. */
  readonly failures: number;
  /** USD: sum of what the plans said, compute aside, and the simulator's bill. */
  readonly plannedUsd: number;
  readonly bill: Bill;
  readonly readUnits: number;
  readonly watermark: string | null;
  readonly itemsExpected: number;
  /** Whether the lake equals the simulated table at its watermark, item for item. */
  readonly same: boolean;
  readonly seconds: number;
}

/** Lives through the days, telling it in short lines. */
export async function runDemoWeek(world: World, parts: DemoWeekParts): Promise<DemoWeekReport> {
  const { aws, say, items } = parts;
  const beginMs = world.clock.nowMs();
  const changesPerHour = Math.max(20, Math.floor(items / 50));
  await say(
    `\n1  A DynamoDB table that lives: ${formatNumberOf(items, 'order')}, ${formatNumberOf(changesPerHour, 'write')} an hour, recovery on\n`,
  );
  const { table, startMs } = await aws.dynamodb.tellTable({
    dataset: 'mystore',
    items,
    hours: 8,
    seed: 1,
    changesPerHour,
    lives: true,
  });
  aws.dynamodb.clearConsumed();
  aws.bill.clear();
  await say(`   ${table}, written to since ${formatInstant(new Date(startMs).toISOString())}\n`);

  const week = await liveThrough(world, parts);

  await say('\n4  Is it fresh, what did it cost, and is it the table?\n');
  const last = week.rounds.at(-1)!;
  await say(`   ${roundLine(last)}\n`);
  const bill = aws.bill.read();
  const { exports } = bill;
  const paid = exports.full.count + exports.incremental.count;
  await say(
    `   the plans said ${digits(week.plannedUsd)}, compute aside; the bill is ${digits(bill.usd)}, for ${formatNumberOf(paid, 'export')} and ${formatNumberOf(bill.requests.writes.count + bill.requests.reads.count, 'request')} to S3\n`,
  );
  const { readUnits } = aws.dynamodb.consumed().total;
  await say(`   read capacity consumed: ${readUnits}\n`);
  const proof = await compared(world, parts, last.watermark);
  await say(
    proof.same
      ? `   compared with the simulated table at ${formatInstant(last.watermark!)}: the same ${formatNumberOf(proof.itemsExpected, 'item')}, every attribute, every digit\n`
      : '   compared with the simulated table: DIFFERENT\n',
  );
  const seconds = (world.clock.nowMs() - beginMs) / 1000;
  await say(`\n${formatNumberOf(parts.days, 'day')} in ${formatSeconds(seconds)}.\n`);
  return {
    lake: parts.job.target.lake,
    ...week,
    bill,
    readUnits,
    watermark: last.watermark,
    ...proof,
    seconds,
  };
}

/** Dollars with enough digits to compare. */
function digits(usd: number): string {
  return `$${usd.toFixed(4)}`;
}

type Week = Pick<DemoWeekReport, 'rounds' | 'windows' | 'failures' | 'plannedUsd'>;

async function liveThrough(world: World, parts: DemoWeekParts): Promise<Week> {
  const { aws, say, days } = parts;
  const rounds: RoundReport[] = [];
  let plannedUsd = 0;
  const grainMs = demoWeekGrainHours * hourMs;
  // A window can be asked for some minutes after its end.
  const beginMs = Math.ceil(aws.clock.nowMs() / grainMs) * grainMs + 6 * minuteMs;
  await aws.clock.moveTo(beginMs);
  const hours = days * 24;
  const failingHour = Math.floor(hours / 2 / demoWeekGrainHours) * demoWeekGrainHours;
  for (let hour = 0; hour <= hours; hour += demoWeekGrainHours) {
    if (hour === failingHour) {
      const trouble = { table: parts.job.source, code: 'Unknown', isPartial: true };
      await aws.dynamodb.changeSettings({ exportTroubles: [trouble] });
    }
    for (let turn = 0; turn < roundsMax; turn++) {
      const plan = await planned(world, parts);
      if (rounds.length === 0) {
        await say(`\n2  tidelake plan\n${indented(planLines(plan))}`);
        await say(
          `\n3  tidelake run, every few minutes of ${formatNumberOf(days, 'virtual day')}\n`,
        );
      }
      plannedUsd += withoutCompute(plan);
      const report = await ran(world, parts);
      rounds.push(report);
      const isRetry = report.requested.some(({ attempt }) => attempt > 1);
      if (isRetry)
        await say('   an export FAILED; asked for again, and the failed one is not billed\n');
      const isNews = report.loads.length + report.merges.length > 0 || report.error !== null;
      if (isNews) await say(`   ${roundLine(report)}\n`);
      if (report.error !== null) break;
      if (report.state === 'fresh') break;
      await aws.clock.advanceMs(pauseMs);
    }
    if (hour === hours) break;
    const nextMs = beginMs + hour * hourMs + grainMs;
    await aws.clock.advanceMs(Math.max(0, nextMs - aws.clock.nowMs()));
  }
  const again = rounds.flatMap(({ requested }) => requested.filter(({ attempt }) => attempt > 1));
  return {
    rounds: rounds.filter(({ requested, loads, merges, error }) => {
      return requested.length + loads.length + merges.length > 0 || error !== null;
    }),
    windows: rounds.reduce((sum, { merges }) => sum + merges.length, 0),
    failures: again.length,
    plannedUsd,
  };
}

async function planned(world: World, parts: DemoWeekParts): Promise<PlanReport> {
  const options = { tablesAtOnceMax: 1 };
  const plans = parts.api.planTables(virtual(world, parts), [parts.job], parts.exportsOf, options);
  for await (const plan of plans) return plan;
  throw new Error('a plan of one table has one report');
}

async function ran(world: World, parts: DemoWeekParts): Promise<RoundReport> {
  const options = { tablesAtOnceMax: 1 };
  const rounds = parts.api.runTables(virtual(world, parts), [parts.job], parts.exportsOf, options);
  for await (const round of rounds) return round;
  throw new Error('a round of one table has one report');
}

/** The world by the simulator's clock; progress of each window would be noise. */
function virtual(world: World, { aws }: DemoWeekParts): World {
  const clock: Clock = { nowMs: () => aws.clock.nowMs(), sleep: (ms) => world.clock.sleep(ms) };
  return { ...world, clock, reporter: new NullReporter() };
}

/** The bill has no compute in it: nothing runs in AWS here. */
function withoutCompute({ price }: PlanReport): number {
  return price.lines
    .filter(({ what }) => !/^(Lambda|Fargate)/.test(what))
    .reduce((sum, { usd }) => sum + usd, 0);
}

async function compared(
  world: World,
  { api, simulator, aws, job, unloadedUri }: DemoWeekParts,
  watermark: string | null,
): Promise<Pick<DemoWeekReport, 'itemsExpected' | 'same'>> {
  const past = aws.dynamodb.past(job.source);
  if (past === null || watermark === null) return { itemsExpected: 0, same: false };
  const target: Target = job.target;
  const { out } = await api.unload(
    { ...world, reporter: new NullReporter() },
    { ...target, outUri: unloadedUri },
  );
  const expected = digestOfItems(simulator, past.itemsAt(Date.parse(watermark) * 1000));
  const got = await digestOfUnloaded(world, simulator, out);
  return { itemsExpected: expected.count, same: isSameDigest(expected, got) };
}

function indented(lines: readonly string[]): string {
  return lines.map((line) => `   ${line}\n`).join('');
}
