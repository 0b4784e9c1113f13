// What ExportTableToPointInTime asks for, proved against the table's recovery window.
// Promises: an export that AWS would refuse is refused under the same name; a token stands for the same request.
// Source: Amazon DynamoDB API Reference, ExportTableToPointInTime; Developer Guide, "Requesting a table export in DynamoDB".
// The reference does not say under which name a window of a wrong length is refused; ValidationException is our choice.

import type { ExportView } from '../../../schemas/export-manifest.js';
import {
  constraint,
  DynamoDbFault,
  invalid,
  type Json,
  neededText,
  notSimulated,
  numberIn,
  objectIn,
  textIn,
  wordIn,
} from './dynamodb-call.js';
import type { RestorableWindow } from './dynamodb-pitr.js';

const windowMsMin = 15 * 60_000;
const windowMsMax = 24 * 3_600_000;

/** A full export at an instant, or an incremental one of a window; ms since the epoch. */
export type ExportScope =
  | { readonly type: 'FULL_EXPORT'; readonly atMs: number }
  | {
      readonly type: 'INCREMENTAL_EXPORT';
      readonly fromMs: number;
      readonly toMs: number;
      readonly view: ExportView;
    };

/** Where and how an export is written. */
export interface ExportPlace {
  readonly bucket: string;
  readonly bucketOwner: string | null;
  readonly prefix: string | null;
  readonly sseAlgorithm: 'AES256' | 'KMS';
  readonly sseKmsKeyId: string | null;
}

/** Reads the place. Throws ValidationException. */
export function exportPlaceOf(input: Json): ExportPlace {
  const bucket = neededText(input, 'S3Bucket');
  if (bucket.length > 255 || !/^[a-z0-9A-Z]+[.\-\w]*[a-z0-9A-Z]+$/.test(bucket)) {
    throw constraint(
      's3Bucket',
      'Member must satisfy regular expression pattern: ^[a-z0-9A-Z]+[\\.\\-\\w]*[a-z0-9A-Z]+$',
    );
  }
  const prefix = textIn(input, 'S3Prefix');
  if (prefix !== null && Buffer.byteLength(prefix) > 1024) {
    throw constraint('s3Prefix', 'Member must have length less than or equal to 1024');
  }
  const owner = textIn(input, 'S3BucketOwner');
  if (owner !== null && !/^[0-9]{12}$/.test(owner)) {
    throw constraint('s3BucketOwner', 'Member must satisfy regular expression pattern: [0-9]{12}');
  }
  const format = wordIn(input, 'ExportFormat', ['DYNAMODB_JSON', 'ION']) ?? 'DYNAMODB_JSON';
  if (format === 'ION') throw notSimulated('ExportFormat ION');
  if (objectIn(input, 'FilterSpecification') !== null) throw notSimulated('FilterSpecification');
  return {
    bucket,
    bucketOwner: owner,
    prefix: prefix === '' ? null : prefix,
    sseAlgorithm: wordIn(input, 'S3SseAlgorithm', ['AES256', 'KMS']) ?? 'AES256',
    sseKmsKeyId: textIn(input, 'S3SseKmsKeyId'),
  };
}

/**
 * Reads what is to be exported.
 * @param freshMs the instant of a full export that names none
 * @throws DynamoDbFault InvalidExportTimeException outside of the window, ValidationException for what fits no window
 */
export function exportScopeOf(input: Json, window: RestorableWindow, freshMs: number): ExportScope {
  const types = ['FULL_EXPORT', 'INCREMENTAL_EXPORT'] as const;
  const type = wordIn(input, 'ExportType', types) ?? 'FULL_EXPORT';
  const specification = objectIn(input, 'IncrementalExportSpecification');
  const atMs = instantIn(input, 'ExportTime');
  if (type === 'INCREMENTAL_EXPORT') {
    if (atMs !== null) throw invalid('ExportTime cannot be given for an incremental export');
    if (specification === null) {
      throw invalid('IncrementalExportSpecification must be given for an incremental export');
    }
    return windowOf(specification, window);
  }
  if (specification !== null) {
    throw invalid('IncrementalExportSpecification cannot be given for a full export');
  }
  if (atMs === null) return { type, atMs: freshMs };
  if (atMs < window.earliestMs || atMs > window.latestMs) throw outside('ExportTime');
  return { type, atMs };
}

function windowOf(specification: Json, window: RestorableWindow): ExportScope {
  const from = instantIn(specification, 'ExportFromTime');
  if (from === null) throw invalid('ExportFromTime must be given for an incremental export');
  // Windows are of whole seconds.
  const fromMs = wholeSecond(from);
  const toMs = wholeSecond(instantIn(specification, 'ExportToTime') ?? window.latestMs);
  const views = ['NEW_IMAGE', 'NEW_AND_OLD_IMAGES'] as const;
  const view = wordIn(specification, 'ExportViewType', views) ?? 'NEW_AND_OLD_IMAGES';
  if (fromMs >= toMs) throw invalid('ExportFromTime must be before ExportToTime');
  if (toMs - fromMs < windowMsMin) {
    throw invalid('The export period must be at least 15 minutes');
  }
  if (toMs - fromMs > windowMsMax) {
    throw invalid('The export period must be at most 24 hours');
  }
  // The first second that can be asked for has the instant in it.
  if (fromMs < wholeSecond(window.earliestMs)) throw outside('ExportFromTime');
  if (toMs > window.latestMs) throw outside('ExportToTime');
  return { type: 'INCREMENTAL_EXPORT', fromMs, toMs, view };
}

function outside(member: string): DynamoDbFault {
  return new DynamoDbFault(
    'InvalidExportTimeException',
    `The specified ${member} is outside of the point in time recovery window`,
  );
}

/** An instant of the protocol (seconds, with a fraction or without) in whole milliseconds. */
function instantIn(input: Json, member: string): number | null {
  const seconds = numberIn(input, member);
  return seconds === null ? null : Math.round(seconds * 1000);
}

function wholeSecond(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}

/** The request without its token, as one text: the same for the same request. */
export function requestText(input: Json): string {
  const { ClientToken: _, ...rest } = input;
  return JSON.stringify(sorted(rest));
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).map(([name, each]) => [name, sorted(each)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
