// Reads and checks manifest-summary.json: what an export is, of which table, and of which instant or window.
// Promises: what comes back is proved by its checksum and consistent in itself; fields nobody knows yet are passed over.
// Source: Amazon DynamoDB Developer Guide, "DynamoDB table exports, output format" (manifest files); read off real exports of 2022 and 2026.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { refuse } from '../../schemas/errors.js';
import type {
  ExportSummary,
  ExportSummaryBase,
  ExportView,
  Window,
} from '../../schemas/export-manifest.js';
import type { ObjectStore } from '../ports.js';
import { parseInstant } from './instants.js';
import { badManifest, nothingWritten, readManifest } from './manifest-bytes.js';
import { decodeUtf8, ManifestTextError, parseObject } from './strict-json.js';

const count = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const nullable = z.string().nullish();
const summarySchema = z.object({
  exportArn: z
    .string()
    .regex(/^arn:[\w-]+:dynamodb:[\w-]*:\d*:table\/[\w.-]{1,255}\/export\/[\w-]{1,100}$/),
  tableArn: z.string().regex(/^arn:[\w-]+:dynamodb:[\w-]*:\d*:table\/[\w.-]{1,255}$/),
  tableId: z.string().regex(/^[\w-]{1,100}$/),
  itemCount: count,
  billedSizeBytes: count.nullish(),
  s3Bucket: nullable,
  s3Prefix: nullable,
  manifestFilesS3Key: z.string(),
  outputFormat: z.string(),
  exportType: nullable,
  exportTime: nullable,
  exportFromTime: nullable,
  exportToTime: nullable,
  outputView: nullable,
});
type Summary = z.infer<typeof summarySchema>;

/** The view's names: the API's two, and the one that the guide's prose uses. */
const views: ReadonlyMap<string, ExportView> = new Map([
  ['NEW_IMAGE', 'NEW_IMAGE'],
  ['NEW_IMAGES', 'NEW_IMAGE'],
  ['NEW_AND_OLD_IMAGES', 'NEW_AND_OLD_IMAGES'],
]);

/** What is accepted besides whole exports. */
export interface ReadSummaryOptions {
  /** Takes an export of a part of the table. Rows that it lacks are not deleted rows. */
  readonly acceptFiltered?: boolean;
}

/**
 * The export that `summaryUri` describes. Throws REFUSED_MANIFEST (missing, malformed, contradictory), REFUSED_CHECKSUM,
 * REFUSED_FORMAT (Ion), REFUSED_EXPORT_TYPE (a type nobody knows), REFUSED_FILTERED, REFUSED_LIMIT.
 */
export async function readSummary(
  store: ObjectStore,
  summaryUri: string,
  options: ReadSummaryOptions = {},
): Promise<ExportSummary> {
  const bytes = await readManifest(store, summaryUri);
  if (bytes === null) throw badManifest(summaryUri, 'there is no such file');
  const raw = parseSummary(bytes, summaryUri);
  refuseIon(raw);
  if (options.acceptFiltered !== true) refuseFiltered(raw);
  const checked = summarySchema.safeParse(raw);
  if (!checked.success) {
    const fields = [...new Set(checked.error.issues.map((issue) => String(issue.path[0])))];
    throw badManifest(summaryUri, `missing or malformed: ${fields.join(', ')}`);
  }
  const base = baseOf(checked.data, summaryUri, bytes);
  return kindOf(checked.data, base);
}

function parseSummary(bytes: Uint8Array, uri: string): Readonly<Record<string, unknown>> {
  try {
    return parseObject(decodeUtf8(bytes));
  } catch (error) {
    if (error instanceof ManifestTextError) throw badManifest(uri, error.message);
    throw error;
  }
}

function refuseIon(raw: Readonly<Record<string, unknown>>): void {
  if (raw.outputFormat === 'DYNAMODB_JSON' || typeof raw.outputFormat !== 'string') return;
  const isIon = raw.outputFormat === 'ION';
  throw refuse(
    'REFUSED_FORMAT',
    `the export is in ${isIon ? 'Amazon Ion' : 'a format unknown to this version'}; Tidelake reads DYNAMODB_JSON`,
    nothingWritten,
    'export again: tidelake export asks for DYNAMODB_JSON',
  );
}

/**
 * How a summary records a filter is not documented (the request has FilterSpecification since October 2026), so any
 * field that speaks of one counts.
 */
function refuseFiltered(raw: Readonly<Record<string, unknown>>): void {
  const field = Object.keys(raw).find(
    (name) => /filter|projection|condition/i.test(name) && raw[name] !== null,
  );
  if (field === undefined) return;
  throw refuse(
    'REFUSED_FILTERED',
    'the export was made with a filter: it holds a part of the table only',
    'nothing was written; what a filtered export lacks is not deleted, so it is no baseline and no window',
    'export the whole table: tidelake export',
  );
}

function baseOf(summary: Summary, summaryUri: string, bytes: Uint8Array): ExportSummaryBase {
  if (!summary.exportArn.startsWith(`${summary.tableArn}/export/`)) {
    throw badManifest(summaryUri, 'exportArn is not of the table that tableArn names');
  }
  return {
    exportArn: summary.exportArn,
    tableArn: summary.tableArn,
    tableName: summary.tableArn.slice(summary.tableArn.indexOf('table/') + 'table/'.length),
    tableId: summary.tableId,
    itemCount: summary.itemCount,
    billedSizeBytes: summary.billedSizeBytes ?? 0,
    s3Bucket: summary.s3Bucket ?? null,
    s3Prefix: summary.s3Prefix ?? null,
    manifestFilesS3Key: summary.manifestFilesS3Key,
    manifestMd5: createHash('md5').update(bytes).digest('hex'),
    summaryUri,
  };
}

function kindOf(summary: Summary, base: ExportSummaryBase): ExportSummary {
  const bad = (why: string): Error => badManifest(base.summaryUri, why);
  const { exportTime, exportFromTime, exportToTime, outputView } = summary;
  // Full exports have carried no exportType, from 2020 to 2026.
  const type = summary.exportType ?? 'FULL_EXPORT';
  if (type === 'FULL_EXPORT') {
    if (exportFromTime != null || exportToTime != null) throw bad('a full export with a window');
    const exportTimeMs = parseInstant(exportTime ?? '');
    if (exportTimeMs === null) throw bad('missing or malformed: exportTime');
    return { ...base, type, exportTimeMs };
  }
  if (type === 'INCREMENTAL_EXPORT') {
    if (exportTime != null) throw bad('an incremental export with an exportTime');
    const view = views.get(outputView ?? '');
    if (view === undefined) throw bad('missing or unknown: outputView');
    const window = windowOf(exportFromTime ?? '', exportToTime ?? '');
    if (window === null) {
      throw bad('exportFromTime and exportToTime are no window of whole seconds');
    }
    return { ...base, type, window, view };
  }
  throw refuse(
    'REFUSED_EXPORT_TYPE',
    'the export is neither full nor incremental; this version knows no other',
    nothingWritten,
    'use a newer Tidelake, or export again: tidelake export',
  );
}

/** Lengths other than 15 minutes to 24 hours are DynamoDB's to forbid: the chain is checked where it is applied. */
function windowOf(from: string, to: string): Window | null {
  const [fromMs, toMs] = [parseInstant(from), parseInstant(to)];
  if (fromMs === null || toMs === null) return null;
  const isWhole = fromMs % 1000 === 0 && toMs % 1000 === 0;
  return isWhole && fromMs < toMs ? { fromMs, toMs } : null;
}
