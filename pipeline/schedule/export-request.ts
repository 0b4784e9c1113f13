// A request for an export, whole: where it is put and under which token, so that asking twice is asking once.
// The prefix is a function of table and window, so whoever forgot that it asked finds the export there. The token is a hash
// of everything in the request and of the attempt: within 8 hours DynamoDB answers it with the export it began, and a request
// that differs anywhere has another token instead of an ExportConflictException.
// Source: Amazon DynamoDB API Reference, ExportTableToPointInTime.

import { createHash } from 'node:crypto';
import { clientTokenMs } from '../../schemas/limits.js';
import type {
  ExportRequest,
  ExportSubject,
  KnownExport,
  TableFacts,
} from '../../schemas/table-exports.js';
import type { ScheduleConfig } from './situation.js';

export function exportRequest(
  table: TableFacts,
  config: ScheduleConfig,
  subject: ExportSubject,
  attempt: number,
): ExportRequest {
  const { destination } = config;
  const s3Prefix = prefixOf(table, config, subject);
  const whole = [
    table.tableArn,
    table.tableId,
    subject.type,
    ...(subject.type === 'FULL_EXPORT'
      ? [subject.exportTimeMs]
      : [subject.window.fromMs, subject.window.toMs, subject.view]),
    destination.s3Bucket,
    destination.s3BucketOwner,
    destination.s3SseAlgorithm,
    destination.s3SseKmsKeyId,
    s3Prefix,
    'DYNAMODB_JSON',
    attempt,
  ];
  const clientToken = createHash('sha256').update(JSON.stringify(whole)).digest('hex').slice(0, 32);
  const { tableArn, tableId } = table;
  return { tableArn, tableId, subject, destination, s3Prefix, attempt, clientToken };
}

/** `<table>/<tableId>/<from>_<to>` or `<table>/<tableId>/full/<instant>`, below the configured prefix. */
function prefixOf(table: TableFacts, config: ScheduleConfig, subject: ExportSubject): string {
  if (subject.type === 'FULL_EXPORT') {
    return `${fullsPrefix(table, config)}/${compact(subject.exportTimeMs)}`;
  }
  const { fromMs, toMs } = subject.window;
  return `${tablePrefix(table, config)}/${compact(fromMs)}_${compact(toMs)}`;
}

/** The folder of the table's full exports. */
export function fullsPrefix(table: TableFacts, config: ScheduleConfig): string {
  return `${tablePrefix(table, config)}/full`;
}

function tablePrefix(table: TableFacts, config: ScheduleConfig): string {
  const root = config.destination.s3Prefix;
  return `${root === '' ? '' : `${root}/`}${table.tableName}/${table.tableId}`;
}

/** `20261120T090000Z`: no character that S3 or a shell would want quoted. */
function compact(ms: number): string {
  return new Date(ms)
    .toISOString()
    .replace(/\.\d+Z$|[-:]/g, (found) => (found.endsWith('Z') ? 'Z' : ''));
}

/**
 * Attempts that failed already: the number of the last one. Failed exports count when they were asked for by exactly this
 * request, so a changed destination or key begins anew; where the token is not known, when they lie under its prefix.
 */
export function failedAttempts(
  failed: readonly KnownExport[],
  requestOf: (attempt: number) => ExportRequest,
  attemptsMax: number,
): number {
  if (failed.length === 0) return 0;
  const { s3Prefix } = requestOf(1);
  const anonymous = failed.filter((one) => one.clientToken === null && one.s3Prefix === s3Prefix);
  const tokens = new Set(failed.map((one) => one.clientToken));
  let last = 0;
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    if (tokens.has(requestOf(attempt).clientToken)) last = attempt;
  }
  return Math.max(last, anonymous.length);
}

/**
 * Whether an export may have been asked for so long ago that its token is forgotten. It cannot have been asked for before
 * its end, so within 8 hours of that the same token is the same export, whoever asked; later its prefix has to be read.
 */
export function isTokenStale(toMs: number, serverMs: number): boolean {
  return serverMs - toMs >= clientTokenMs;
}
