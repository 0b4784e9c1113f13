// `tidelake simulate`: the exports of a simulated table, faithful to AWS's format.
// Promises that the same flags give the same bytes, and never to write into a folder that holds something.
// Spec: DESIGN "The command".

import { z } from 'zod';
import { refuse } from '../../../schemas/errors.js';
import type { ExportView } from '../../../schemas/export-manifest.js';
import type { World } from '../../ports.js';
import { formatInstant, formatNumberOf, formatSeconds } from '../../reporting/human-numbers.js';
import type { SimulateReport } from '../../reports.js';
import { checkInput, wholeNumber } from '../check-input.js';
import type { CliContext } from '../context.js';
import type { GlobalFlags } from '../flags.js';
import { shownPlace } from '../places.js';
import { inSession } from '../session.js';
import type { Dataset, KeyShape, SimulatorModule } from '../simulator-module.js';

export interface SimulateFlags extends GlobalFlags {
  readonly out: string;
  readonly items: number;
  readonly windows: number;
  readonly view: ExportView;
  readonly seed: number;
  readonly dataset: Dataset;
  readonly keyShape?: KeyShape | undefined;
}

/** Most items and windows simulated; more would not fit the disk or the patience of anybody. */
export const simulatedItemsMax = 100_000_000;
export const simulatedWindowsMax = 10_000;

const simulateSchema = z
  .object({
    items: wholeNumber(1, simulatedItemsMax),
    windows: wholeNumber(0, simulatedWindowsMax),
    seed: wholeNumber(0, 2 ** 32 - 1),
    dataset: z.string(),
    keyShape: z.string().optional(),
  })
  .refine((input) => input.keyShape === undefined || input.dataset === 'wild', {
    path: ['keyShape'],
    message: 'only the data set wild has a choice of keys',
  });

export async function simulate(this: CliContext, flags: SimulateFlags): Promise<void> {
  checkInput(simulateSchema, flags, 'simulate');
  await inSession(this, flags, { command: 'simulate' }, async (session) => {
    const outUri = session.place(flags.out);
    if ((await session.world.store.children(outUri)).length > 0) {
      throw refuse(
        'REFUSED_NOT_EMPTY',
        `${shownPlace(outUri, this.folder)} is not empty`,
        'nothing was written; exports of two tables in one folder would be mixed up',
        'name a new folder with --out',
      );
    }
    const { report } = await simulateStory(session.world, await this.loadSimulator(), {
      ...flags,
      outUri,
    });
    await session.print(report, simulateLines(report, this.folder));
    return 0;
  });
}

export interface StoryFlags
  extends Pick<SimulateFlags, 'items' | 'windows' | 'view' | 'seed' | 'dataset' | 'keyShape'> {
  readonly outUri: string;
}

/** What `simulateStory` gives: the report, and the simulated table itself to compare with. */
export interface SimulatedExports {
  readonly report: SimulateReport;
  readonly story: Awaited<ReturnType<SimulatorModule['simulate']>>;
}

/** Writes a full export and its windows, telling the reporter how far it is. */
export async function simulateStory(
  world: World,
  simulator: SimulatorModule,
  flags: StoryFlags,
): Promise<SimulatedExports> {
  const beginMs = world.clock.nowMs();
  const step = world.reporter.step('simulate', null, 'items');
  const story = await simulator.simulate({
    store: world.store,
    outUri: flags.outUri,
    dataset: flags.dataset,
    items: flags.items,
    windows: flags.windows,
    seed: flags.seed,
    view: flags.view,
    ...(flags.keyShape === undefined ? {} : { keyShape: flags.keyShape }),
    onProgress: (count) => step.advance(count),
  });
  step.done();
  const report: SimulateReport = {
    table: story.table.name,
    full: story.full,
    windows: story.windows.map((window) => ({
      from: new Date(window.fromMs).toISOString(),
      to: new Date(window.toMs).toISOString(),
      uri: window.folderUri,
    })),
    items: story.fullExport.itemCount,
    seconds: (world.clock.nowMs() - beginMs) / 1000,
  };
  return { report, story };
}

/** The exports in words. */
export function simulateLines(report: SimulateReport, folder: string): string[] {
  const lines = [
    `${report.table}: full export of ${formatNumberOf(report.items, 'item')} and ${formatNumberOf(report.windows.length, 'window')}, in ${formatSeconds(report.seconds)}`,
    `  full  ${shownPlace(report.full, folder)}`,
  ];
  for (const window of report.windows) {
    lines.push(
      `  ${formatInstant(window.from)} to ${formatInstant(window.to)}  ${shownPlace(window.uri, folder)}`,
    );
  }
  return lines;
}
