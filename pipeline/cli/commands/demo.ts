// `tidelake demo`: the whole job on a simulated table, from exports to the way back.
// With --simulator the same job runs over S3 and Glue, at endpoints of a simulator that lives in the demo's folder.
// Promises to touch only its own folder, and to end with exit 4 when the way back is not the simulated table, item for item.
// Spec: DESIGN "The command".

import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { refuse, TidelakeError } from '../../../schemas/errors.js';
import { toFileUri, toPath } from '../../local/file-uri.js';
import type { Simulator } from '../../local/simulator-server.js';
import type { World } from '../../ports.js';
import {
  formatBytes,
  formatCount,
  formatInstant,
  formatNumberOf,
  formatSeconds,
} from '../../reporting/human-numbers.js';
import type {
  LoadReport,
  MergeReport,
  SimulateReport,
  StatusRow,
  Target,
  UnloadReport,
  VerifyReport,
} from '../../reports.js';
import type { TidelakeApi } from '../api.js';
import { checkInput, wholeNumber } from '../check-input.js';
import type { CliContext } from '../context.js';
import { usageError } from '../error-text.js';
import type { GlobalFlags } from '../flags.js';
import { savedQueriesUri } from '../package-root.js';
import { shownPlace } from '../places.js';
import { inSession } from '../session.js';
import type { SimulatorModule } from '../simulator-module.js';
import { exportsByPlace, tableJobs } from '../table-jobs.js';
import { demoWeekGrainHours, demoWeekItemsMax, runDemoWeek } from './demo-week.js';
import { digestOfItems, digestOfUnloaded, isSameDigest } from './item-digest.js';
import { loadLines } from './load.js';
import { mergeLines } from './merge.js';
import { answerText } from './query.js';
import { simulatedItemsMax, simulatedWindowsMax, simulateStory } from './simulate.js';
import { environmentFor } from './simulator.js';
import { statusLines } from './status.js';
import { unloadText } from './unload.js';

export interface DemoFlags extends GlobalFlags {
  readonly items: number;
  readonly hours: number;
  readonly simulator?: boolean | undefined;
  readonly week?: boolean | undefined;
  readonly days?: number | undefined;
}

/** What the demo did, for --json. */
export interface DemoReport {
  readonly lake: string;
  /** URI of the folder with all simulated exports. */
  readonly exports: string;
  readonly simulated: SimulateReport;
  readonly load: LoadReport;
  readonly merges: readonly MergeReport[];
  /** Saved queries that were run, with the number of rows each gave. */
  readonly queries: readonly { readonly name: string; readonly rows: number }[];
  readonly status: readonly StatusRow[];
  readonly verify: readonly VerifyReport[];
  readonly unload: UnloadReport;
  /** Items of the simulated table at the end. */
  readonly itemsExpected: number;
  /** Whether what came back equals the simulated table, item for item. */
  readonly same: boolean;
  readonly seconds: number;
}

/** Everything the demo works with. */
export interface DemoParts {
  readonly api: TidelakeApi;
  readonly simulator: SimulatorModule;
  /** Prints text as it stands. */
  readonly say: (text: string) => Promise<void>;
  /** Working directory: places are told relative to it. */
  readonly folder: string;
  /** The demo's own folder on this machine, an absolute path. */
  readonly home: string;
  /** Width of the terminal in characters, or null. */
  readonly columns: number | null;
  /** URI of a folder of saved queries. */
  readonly queriesUri: string;
}

export interface DemoOptions extends Target {
  readonly items: number;
  /** Hourly windows after the full export. */
  readonly hours: number;
  /** Where the exports go and what comes back, as URIs of folders. */
  readonly exportsUri: string;
  readonly unloadedUri: string;
  /** Command lines that make AWS's endpoints answer again, where the demo ran against simulated ones. */
  readonly endpoints: readonly string[];
}

const lakeDefault = '.tidelake/demo';
const markerName = 'tidelake-demo.json';
/** Saved queries the demo shows, and how many of their rows. */
const queriesShown: readonly string[] = [
  'revenue-by-day',
  'clients-by-revenue',
  'orders-by-status',
];
const rowsShown = 5;
/** The simulated bucket, and the folder of the simulator's state in the demo's. */
const bucket = 'tidelake-demo';
const awsFolder = 'aws';

const demoSchema = z.object({
  items: wholeNumber(1, simulatedItemsMax),
  hours: wholeNumber(1, simulatedWindowsMax),
  days: wholeNumber(1, 35).optional(),
});

export async function demo(this: CliContext, flags: DemoFlags): Promise<void> {
  checkInput(demoSchema, flags, 'demo');
  const home = resolve(this.folder, pathOf(flags.lake ?? lakeDefault));
  await makeReady(home, flags.database ?? 'lake', this.folder);
  const days = flags.days ?? (flags.week === true ? 7 : null);
  if (flags.simulator !== true && days === null) {
    const place = { lake: toFileUri(home), exportsUri: toFileUri(join(home, 'exports')) };
    const unloadedUri = toFileUri(join(home, 'unloaded'));
    await demoAt(this, flags, home, { ...place, unloadedUri, endpoints: [] });
    return;
  }
  const dir = join(home, awsFolder);
  const simulator = await this.startSimulator({ dir, port: 0, buckets: [bucket] });
  const forget = this.onInterrupt(() => simulator.close());
  try {
    // The SDK's own ways to be told; whatever account this machine usually speaks to is left alone.
    delete process.env.AWS_PROFILE;
    Object.assign(process.env, environmentFor(simulator.url));
    const serve = `tidelake simulator serve --dir ${shownPlace(toFileUri(dir), this.folder)} --port 4566`;
    const set = Object.entries(environmentFor('http://127.0.0.1:4566'));
    const places = {
      lake: `s3://${bucket}/lake`,
      exportsUri: `s3://${bucket}/exports`,
      unloadedUri: `s3://${bucket}/unloaded`,
      endpoints: [
        `${serve} &`,
        `export ${set.map(([name, value]) => `${name}=${value}`).join(' ')}`,
      ],
    };
    const onAws = { ...flags, catalog: 'glue' } as const;
    if (days !== null) await demoWeekAt(this, onAws, days, simulator, places);
    else await demoAt(this, onAws, home, places);
  } finally {
    forget();
    await simulator.close();
  }
}

/** A folder named on the command line as a path or a file URI. */
function pathOf(place: string): string {
  if (!/^[A-Za-z][A-Za-z0-9+.-]+:\//.test(place)) return place;
  if (/^file:/i.test(place)) return toPath(place);
  throw usageError('--lake: a folder of this machine is expected', 'demo');
}

async function demoAt(
  context: CliContext,
  flags: DemoFlags,
  home: string,
  places: Pick<DemoOptions, 'lake' | 'exportsUri' | 'unloadedUri' | 'endpoints'>,
): Promise<void> {
  await inSession(
    context,
    { ...flags, lake: places.lake },
    { command: 'demo' },
    async (session) => {
      const say = async (text: string): Promise<void> =>
        session.json ? session.tell(text) : session.write(text);
      const parts: DemoParts = {
        api: await session.api(),
        simulator: await context.loadSimulator(),
        say,
        folder: context.folder,
        home,
        columns: context.out.columns,
        queriesUri: savedQueriesUri(),
      };
      const { items, hours } = flags;
      const report = await runDemo(session.world, parts, {
        ...session.target,
        ...places,
        items,
        hours,
      });
      if (session.json) await session.print(report, []);
      const isSound = report.same && report.verify.every((table) => table.ok);
      return isSound ? 0 : 4;
    },
  );
}

async function demoWeekAt(
  context: CliContext,
  flags: DemoFlags,
  days: number,
  simulator: Simulator,
  places: Pick<DemoOptions, 'lake' | 'unloadedUri' | 'endpoints'>,
): Promise<void> {
  const { lake, unloadedUri, endpoints } = places;
  await inSession(context, { ...flags, lake }, { command: 'demo' }, async (session) => {
    const target = { ...session.target, table: 'mystore' };
    const [job] = tableJobs(
      target,
      { source: 'mystore', bucket, prefix: 'exports', grain: demoWeekGrainHours * 60 },
      'demo',
    );
    const report = await runDemoWeek(session.world, {
      api: await session.api(),
      simulator: await context.loadSimulator(),
      aws: simulator,
      job: { ...job!, schedule: { ...job!.schedule, lagMinutesMax: 2 * demoWeekGrainHours * 60 } },
      exportsOf: exportsByPlace(context.openTableExports, session.aws),
      say: async (text) => (session.json ? session.tell(text) : session.write(text)),
      unloadedUri,
      items: Math.min(flags.items, demoWeekItemsMax),
      days,
    });
    const flagsText = `--table mystore --lake ${lake} --catalog glue`;
    if (session.json) await session.print(report, []);
    else {
      await session.write(`
Try next:
${endpoints.map((line) => `  ${line}\n`).join('')}  tidelake plan ${flagsText} --bucket ${bucket} --prefix exports --grain ${demoWeekGrainHours * 60}
  tidelake log --lake ${lake} --catalog glue
With a table of your own: docs/how-to/first-table.md
`);
    }
    const isSound = report.same && report.readUnits === 0 && report.failures === 1;
    return isSound ? 0 : 4;
  });
}

/** Runs the whole job, telling it in short lines. */
export async function runDemo(
  world: World,
  parts: DemoParts,
  options: DemoOptions,
): Promise<DemoReport> {
  const { api, say } = parts;
  const beginMs = world.clock.nowMs();
  const { lake, database, catalog, exportsUri, unloadedUri } = options;
  const target: Target = {
    lake,
    database,
    table: options.table ?? 'mystore',
    ...(catalog === undefined ? {} : { catalog }),
  };
  const shown = (uri: string): string => shownPlace(uri, parts.folder);

  await say(
    `\n1  A DynamoDB table with a past: ${formatNumberOf(options.items, 'order')} and ${formatNumberOf(options.hours, 'hour')} of changes\n`,
  );
  const { report: simulated, story } = await simulateStory(world, parts.simulator, {
    outUri: exportsUri,
    dataset: 'mystore',
    items: options.items,
    windows: options.hours,
    seed: 1,
    view: 'NEW_AND_OLD_IMAGES',
  });
  await say(
    `   one full and ${options.hours} incremental exports in ${shown(exportsUri)}, as AWS writes them\n`,
  );

  await say('\n2  The full export becomes the lake table\n');
  const key = story.table.key.map((attribute) => attribute.name);
  const load = await api.loadExport(world, { ...target, exportUri: story.full, key });
  await say(indented(loadLines(load)));

  await say('\n3  Each hour of changes becomes one commit\n');
  const merges: MergeReport[] = [];
  const mergeOptions = { ...target, exportUris: [exportsUri], acceptGap: false, acceptSeam: false };
  for await (const merged of api.mergeExports(world, mergeOptions)) {
    merges.push(merged);
    if (merged.error !== null) throw new TidelakeError(merged.error);
    if (merged.action !== 'skipped') await say(indented(mergeLines(merged)));
  }

  await say('\n4  Questions in SQL\n');
  const queries = await askAll(world, parts, target);
  await say(`   and as the table was at ${formatInstant(load.watermark)}:\n`);
  const counted = `select count(*) as orders from "${target.table!}"`;
  await ask(world, parts, target, counted, load.watermark);

  await say('\n5  Is it fresh, and is every promise kept?\n');
  const status = await api.status(world, target);
  for (const row of status) await say(indented(statusLines(row)));
  const verify = await api.verify(world, target);
  for (const table of verify) await say(indented([verifiedText(table)]));

  await say('\n6  The way back to DynamoDB\n');
  const unload = await api.unload(world, { ...target, outUri: unloadedUri });
  await say(indented([unloadText(unload, shown(unload.out))]));
  const endMicros = (story.windows.at(-1)?.toMs ?? Date.parse(load.watermark)) * 1000;
  const expected = digestOfItems(parts.simulator, story.table.itemsAt(endMicros));
  const got = await digestOfUnloaded(world, parts.simulator, unload.out);
  const same = isSameDigest(expected, got);
  await say(
    same
      ? `   compared with the simulated table: the same ${formatNumberOf(got.count, 'item')}, every attribute, every digit\n`
      : `   compared with the simulated table: DIFFERENT (${formatCount(got.count)} items came back, ${formatCount(expected.count)} were there)\n`,
  );

  const seconds = (world.clock.nowMs() - beginMs) / 1000;
  await say(
    `\nDone in ${formatSeconds(seconds)}; the lake is ${shown(options.lake)} (${lakeSize(status)}).\n`,
  );
  await say(tryNext(shown(options.lake), options, target.table!));
  return {
    lake: options.lake,
    exports: exportsUri,
    simulated,
    load,
    merges,
    queries,
    status,
    verify,
    unload,
    itemsExpected: expected.count,
    same,
    seconds,
  };
}

/** Makes the folder ready: new, empty, or an earlier demo's, of which only what a demo writes is removed. */
async function makeReady(lakeFolder: string, database: string, folder: string): Promise<void> {
  await mkdir(lakeFolder, { recursive: true });
  const names = await readdir(lakeFolder);
  if (names.length > 0 && !names.includes(markerName)) {
    throw refuse(
      'REFUSED_NOT_EMPTY',
      `${shownPlace(`file://${lakeFolder}`, folder)} is not empty and not an earlier demo`,
      'nothing was touched: a demo never writes over what is not its own',
      'tidelake demo --lake NEW-FOLDER',
    );
  }
  // The marker comes first and goes never: a demo that was interrupted can be run again.
  await writeFile(
    join(lakeFolder, markerName),
    `${JSON.stringify({ writtenBy: 'tidelake demo' })}\n`,
  );
  for (const own of ['exports', 'unloaded', awsFolder, database]) {
    await rm(join(lakeFolder, own), { recursive: true, force: true });
  }
}

async function askAll(
  world: World,
  parts: DemoParts,
  target: Target,
): Promise<DemoReport['queries']> {
  const files = await world.store.children(`${parts.queriesUri}/mystore`);
  const known = files
    .filter((file) => file.endsWith('.sql'))
    .map((file) => file.slice(0, -'.sql'.length));
  const asked: { readonly name: string; readonly rows: number }[] = [];
  // The saved queries name their table, which another name of the lake table would not be.
  if (target.table !== 'mystore') return asked;
  for (const name of queriesShown.filter((shown) => known.includes(shown))) {
    await parts.say(`   tidelake query ${name}\n`);
    asked.push({ name, rows: await ask(world, parts, target, name) });
  }
  return asked;
}

/** Prints the first rows of an answer and returns how many there are. */
async function ask(
  world: World,
  parts: DemoParts,
  target: Target,
  sql: string,
  asOf?: string,
): Promise<number> {
  const result = await parts.api.query(world, {
    ...target,
    sql,
    params: {},
    queryFolders: [parts.queriesUri],
    ...(asOf === undefined ? {} : { asOf }),
  });
  const rows: (readonly unknown[])[] = [];
  let count = 0;
  for await (const row of result.rows) {
    count += 1;
    if (rows.length < rowsShown) rows.push(row);
  }
  const indent = '     ';
  const width = parts.columns === null ? null : parts.columns - indent.length;
  let text = '';
  for await (const piece of answerText(
    { columns: result.columns, rows: eachOf(rows) },
    'table',
    width,
  ))
    text += piece;
  await parts.say(text.replace(/^(?=.)/gm, indent));
  if (count > rows.length)
    await parts.say(`${indent}… ${formatNumberOf(count - rows.length, 'more row')}\n`);
  return count;
}

async function* eachOf<T>(values: Iterable<T>): AsyncGenerator<T, void, undefined> {
  yield* values;
}

function verifiedText(report: VerifyReport): string {
  const failed = report.checks.filter((check) => !check.ok).map((check) => check.name);
  const checks = formatNumberOf(report.checks.length, 'check');
  return failed.length === 0
    ? `${report.table}  ${checks} on its files, all passed`
    : `${report.table}  ${failed.length} of ${checks} FAILED: ${failed.join(', ')}`;
}

function lakeSize(status: readonly StatusRow[]): string {
  return formatBytes(status.reduce((sum, row) => sum + (row.bytes ?? 0), 0));
}

function tryNext(lake: string, options: DemoOptions, table: string): string {
  const { database, catalog, endpoints } = options;
  const named = database === 'lake' ? '' : ` --database ${database}`;
  const flags = `--lake ${lake}${catalog === 'glue' ? ' --catalog glue' : ''}${named}`;
  return `
Try next:
${endpoints.map((line) => `  ${line}\n`).join('')}  tidelake query "select status, count(*) as orders, sum(amount) as revenue from ${table} group by 1 order by 2 desc" ${flags}
  tidelake status ${flags}
  tidelake log ${flags} --table ${table}
  tidelake schema ${flags} --table ${table}
With your own exports:
  tidelake load EXPORT --key PARTITION_KEY,SORT_KEY --lake ./lake
  tidelake merge EXPORTS --lake ./lake
`;
}

function indented(lines: readonly string[]): string {
  return lines.map((line) => `   ${line}\n`).join('');
}
