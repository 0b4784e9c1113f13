// Writes a full or an incremental export of a simulated table as DynamoDB writes it to S3.
// Promises: files, manifests, checksums, names and orders as read off real exports; the same options give the same bytes.
// Source: Amazon DynamoDB Developer Guide, "DynamoDB table exports, output format"; two public exports of 2022 and 2026.

import { createHash } from 'node:crypto';
import { TidelakeError } from '../../schemas/errors.js';
import type { ExportView } from '../../schemas/export-manifest.js';
import type { ObjectStore } from '../ports.js';
import { type Line, type WrittenDataFile, writeDataFiles } from './data-files.js';
import type { Change, TablePast } from './past.js';
import { Random, type Seed } from './random.js';

/** Whether the S3 keys in the manifests begin with the prefix (as they lie in the bucket) or leave it out; both are documented. */
export type KeyLayout = 'with-prefix' | 'without-prefix';

/** What full and incremental exports have in common. */
export interface ExportOptions {
  readonly table: TablePast;
  readonly store: Pick<ObjectStore, 'create' | 'put'>;
  /** The bucket, or a folder in it: the export lands in `<folderUri>/[<s3Prefix>/]AWSDynamoDB/<ExportId>`. */
  readonly folderUri: string;
  /** Data files that hold items. */
  readonly files: number;
  /** Empty data files besides; a quarter of `files`, and at least one when there are several, unless told. */
  readonly emptyFiles?: number;
  /** Absent: none was asked for, and the manifest says null (or the path of an s3:// folder URI). */
  readonly s3Prefix?: string;
  readonly layout?: KeyLayout;
  /** Bucket name in the manifest when `folderUri` is not s3://. */
  readonly bucket?: string;
  /** Decides names, orders and escapes; two exports of the same thing under two seeds differ in nothing else. */
  readonly seed?: Seed;
  /** Called now and then with the number of items written so far. */
  readonly onItems?: (itemCount: number) => void;
  /** The job that a service ran; made up from the seed unless told. */
  readonly job?: ExportJob;
}

/** What a service knows of an export before it is written. */
export interface ExportJob {
  readonly exportId: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly billedBytes: number;
  readonly sseAlgorithm: 'AES256' | 'KMS';
  readonly sseKmsKeyId: string | null;
}

/** Options of a full export. */
export interface FullExportOptions extends ExportOptions {
  /** Instant of the snapshot, a whole number of milliseconds in microseconds since the epoch; writes before it are in. */
  readonly atMicros: number;
}

/** Options of an incremental export. */
export interface IncrementalExportOptions extends ExportOptions {
  /** Start of the window, inclusive: whole seconds, in milliseconds since the epoch. */
  readonly fromMs: number;
  /** End of the window, exclusive: whole seconds, in milliseconds since the epoch. */
  readonly toMs: number;
  readonly view: ExportView;
  /** `WriteTimestampMicros` as real exports have it, `{"N":"…"}`, or as the documentation shows it, a bare text. */
  readonly writeTimestamp?: 'N' | 'bare';
}

/** An export that was written. */
export interface WrittenExport {
  /** URI of the folder `…/AWSDynamoDB/<ExportId>`. */
  readonly folderUri: string;
  readonly exportArn: string;
  readonly itemCount: number;
}

/** DynamoDB bills at least 10 MB for an incremental export. */
const billedBytesMin = 10_000_000;
/** Below this many bytes a full export is billed as nothing. */
const billedFullBytesMin = 1_000_000;

function badOptions(what: string, next: string): TidelakeError {
  return new TidelakeError({
    code: 'USAGE',
    what,
    meaning: 'DynamoDB would not make this export',
    next,
  });
}

interface Place {
  readonly bucket: string;
  /** The prefix as the manifest has it. */
  readonly prefix: string | null;
  /** URI of the `AWSDynamoDB` folder. */
  readonly folderUri: string;
  /** What the S3 keys in the manifests begin with. */
  readonly keyFolder: string;
}

function placeOf(options: ExportOptions): Place {
  const root = options.folderUri.replace(/\/+$/, '');
  const s3 = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(root);
  const prefix = [s3?.[2], options.s3Prefix]
    .filter((part) => part !== undefined && part !== '')
    .join('/');
  const below =
    options.s3Prefix === undefined || options.s3Prefix === '' ? '' : `/${options.s3Prefix}`;
  const isKeyPrefixed = prefix !== '' && options.layout !== 'without-prefix';
  return {
    bucket: s3?.[1] ?? options.bucket ?? 'simulated-exports',
    prefix: prefix === '' ? null : prefix,
    folderUri: `${root}${below}/AWSDynamoDB`,
    keyFolder: isKeyPrefixed ? `${prefix}/AWSDynamoDB` : 'AWSDynamoDB',
  };
}

/** Instant as AWS writes it in manifests: ISO 8601 with milliseconds, UTC. */
function isoMs(ms: number): string {
  return new Date(ms).toISOString();
}

function md5Base64(text: string): string {
  return createHash('md5').update(text, 'utf8').digest('base64');
}

const utf8 = new TextEncoder();

/** One writer in eight escapes what is not ASCII: JSON allows both, and a reader must take both. */
function* withEscapes(lines: Iterable<Line>, dice: Random): Iterable<Line> {
  for (const line of lines) {
    if (!dice.chance(0.125)) yield line;
    else yield { hash: line.hash, json: line.json.replace(/[\u0080-\uffff]/g, escapeCodeUnit) };
  }
}

function escapeCodeUnit(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

interface ExportPlan {
  readonly options: ExportOptions;
  /** Names the export among all of its table: same text, same bytes. */
  readonly label: string;
  /** The job cannot start before this instant, ms. */
  readonly earliestMs: number;
  readonly isIncremental: boolean;
  readonly lines: (dice: Random) => Iterable<Line>;
  /** Members of the summary between tableId and s3Bucket. */
  readonly times: Readonly<Record<string, string>>;
  /** Members of the summary after outputFormat. */
  readonly tail: Readonly<Record<string, string>>;
}

async function writeExport(plan: ExportPlan): Promise<WrittenExport> {
  const { options } = plan;
  const { table, store } = options;
  if (!Number.isInteger(options.files) || options.files < 1) {
    throw badOptions(
      `an export of ${options.files} data files was asked for`,
      'ask for at least 1',
    );
  }
  const place = placeOf(options);
  const dice = new Random(`${options.seed ?? ''}`, `${table.tableId} ${plan.label}`);
  const { job } = options;
  const { exportId, startMs, endMs } = job ?? madeUpJob(plan.earliestMs, dice);
  const exportArn = `${table.arn}/export/${exportId}`;
  const folderUri = `${place.folderUri}/${exportId}`;
  const dataFolder = plan.isIncremental ? 'data' : `${exportId}/data`;

  await store.put(`${folderUri}/_started`, new Uint8Array(0));
  const files = await writeDataFiles({
    store,
    folderUri: `${place.folderUri}/${dataFolder}`,
    lines: withEscapes(plan.lines(dice), dice),
    files: options.files,
    emptyFiles:
      options.emptyFiles ?? (options.files > 1 ? Math.max(1, Math.floor(options.files / 4)) : 0),
    dice,
    ...(options.onItems === undefined ? {} : { onLines: options.onItems }),
  });
  const itemCount = files.reduce((sum, file) => sum + file.itemCount, 0);
  const textBytes = files.reduce((sum, file) => sum + file.textBytes, 0);

  const filesText = files
    .map((file) => `${fileLine(file, `${place.keyFolder}/${dataFolder}`)}\n`)
    .join('');
  // The order of members is that of real summaries; JSON.stringify keeps it.
  const summaryText = JSON.stringify({
    version: plan.isIncremental ? '2023-08-01' : '2020-06-30',
    exportArn,
    startTime: isoMs(startMs),
    endTime: isoMs(endMs),
    tableArn: table.arn,
    tableId: table.tableId,
    ...plan.times,
    s3Bucket: place.bucket,
    s3Prefix: place.prefix,
    s3SseAlgorithm: job?.sseAlgorithm ?? 'AES256',
    s3SseKmsKeyId: job?.sseKmsKeyId ?? null,
    manifestFilesS3Key: `${place.keyFolder}/${exportId}/manifest-files.json`,
    billedSizeBytes: job?.billedBytes ?? billedBytes(plan.isIncremental, textBytes),
    itemCount,
    outputFormat: 'DYNAMODB_JSON',
    ...plan.tail,
  });
  // The summary's checksum comes last: an export that broke off is never taken for a whole one.
  for (const [name, text] of [
    ['manifest-files', filesText],
    ['manifest-summary', summaryText],
  ] as const) {
    await store.put(`${folderUri}/${name}.json`, utf8.encode(text));
    await store.put(`${folderUri}/${name}.md5`, utf8.encode(md5Base64(text)));
  }
  return { folderUri, exportArn, itemCount };
}

function madeUpJob(
  earliestMs: number,
  dice: Random,
): Pick<ExportJob, 'exportId' | 'startMs' | 'endMs'> {
  const startMs = earliestMs + 1 + dice.below(5000);
  const endMs = startMs + 300_000 + dice.below(900_000);
  return { startMs, endMs, exportId: `0${startMs + dice.below(1000)}-${dice.hex(8)}` };
}

/** What DynamoDB bills for an export of so many bytes. */
export function billedBytes(isIncremental: boolean, bytes: number): number {
  if (isIncremental) return Math.max(billedBytesMin, bytes);
  return bytes < billedFullBytesMin ? 0 : bytes;
}

function fileLine(file: WrittenDataFile, keyFolder: string): string {
  return JSON.stringify({
    itemCount: file.itemCount,
    md5Checksum: file.md5,
    etag: file.etag,
    dataFileS3Key: `${keyFolder}/${file.name}`,
  });
}

/**
 * Writes a full export: the table as all writes before `atMicros` left it.
 * @throws TidelakeError USAGE when the instant has a fraction of a millisecond.
 */
export async function fullExport(options: FullExportOptions): Promise<WrittenExport> {
  const { table, atMicros } = options;
  if (!Number.isInteger(atMicros / 1000)) {
    throw badOptions(`a full export at ${atMicros} µs was asked for`, 'give whole milliseconds');
  }
  return writeExport({
    options,
    label: `full export at ${atMicros}`,
    earliestMs: atMicros / 1000,
    isIncremental: false,
    lines: (dice) => itemLines(table, atMicros, dice),
    times: { exportTime: isoMs(atMicros / 1000) },
    tail: {},
  });
}

function* itemLines(table: TablePast, atMicros: number, dice: Random): Iterable<Line> {
  for (const { hash, json } of table.imagesAt(atMicros, dice))
    yield { hash, json: `{"Item":${json}}` };
}

/**
 * Writes an incremental export: the net changes of `[fromMs, toMs)`, one record per key.
 * @throws TidelakeError USAGE when the window is empty or not of whole seconds.
 */
export async function incrementalExport(options: IncrementalExportOptions): Promise<WrittenExport> {
  const { table, fromMs, toMs, view } = options;
  if (!Number.isInteger(fromMs / 1000) || !Number.isInteger(toMs / 1000) || fromMs >= toMs) {
    throw badOptions(
      `a window from ${fromMs} ms to ${toMs} ms was asked for`,
      'give whole seconds, start before end',
    );
  }
  return writeExport({
    options,
    label: `window ${fromMs} ${toMs} ${view}`,
    earliestMs: toMs + 300_000,
    isIncremental: true,
    lines: (dice) => recordLines(options, table.changesIn(fromMs * 1000, toMs * 1000, dice)),
    times: { exportFromTime: isoMs(fromMs), exportToTime: isoMs(toMs) },
    tail: { outputView: view, exportType: 'INCREMENTAL_EXPORT' },
  });
}

function* recordLines(
  options: IncrementalExportOptions,
  changes: Iterable<Change>,
): Iterable<Line> {
  for (const change of changes) {
    const time =
      options.writeTimestamp === 'bare' ? `"${change.micros}"` : `{"N":"${change.micros}"}`;
    let json = `{"Metadata":{"WriteTimestampMicros":${time}},"Keys":${change.keys}`;
    if (change.oldImage !== null && options.view === 'NEW_AND_OLD_IMAGES')
      json += `,"OldImage":${change.oldImage}`;
    if (change.newImage !== null) json += `,"NewImage":${change.newImage}`;
    yield { hash: change.hash, json: `${json}}` };
  }
}
