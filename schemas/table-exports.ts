// A DynamoDB table and its exports as DynamoDB describes them, and a request for one: plain data for deciding and asking.
// All instants are milliseconds since the epoch, UTC.
// Sources: Amazon DynamoDB API Reference, DescribeTable, DescribeContinuousBackups, ListExports, DescribeExport,
// ExportTableToPointInTime.

import type { ExportView, Window } from './export-manifest.js';

export interface TableFacts {
  readonly tableArn: string;
  readonly tableName: string;
  readonly tableId: string;
  readonly createdMs: number;
}

/** DescribeContinuousBackups. Both instants are null while recovery is off. */
export interface PitrFacts {
  readonly isEnabled: boolean;
  /** EarliestRestorableDateTime. */
  readonly earliestMs: number | null;
  /** LatestRestorableDateTime: some five minutes behind, and it may go backwards. */
  readonly latestMs: number | null;
  /** RecoveryPeriodInDays, 1 to 35. */
  readonly periodDays: number | null;
}

/** `UNKNOWN`: its folder has a `_started` and no manifest, and DescribeExport knows nothing of it. */
export type ExportState = 'IN_PROGRESS' | 'COMPLETED' | 'FAILED' | 'UNKNOWN';

interface KnownExportBase {
  readonly exportArn: string;
  readonly tableId: string;
  readonly state: ExportState;
  /** DynamoDB's code for the failure; null when it did not fail. */
  readonly failureCode: string | null;
  /** Null where only S3 knows the export. */
  readonly clientToken: string | null;
  readonly s3Bucket: string | null;
  readonly s3Prefix: string | null;
  /** Where its manifest-summary.json is; null when it is not there. */
  readonly summaryUri: string | null;
  readonly requestedAtMs: number;
  /** BilledSizeBytes; null before it is completed, and where only S3 knows the export. */
  readonly billedBytes: number | null;
  /** Whole, in DYNAMODB_JSON, and put where this job reads. A filtered export continues nothing, and one that somebody
   *  made for another bucket is not to be waited for. */
  readonly isReadable: boolean;
}

export interface KnownFull extends KnownExportBase {
  readonly type: 'FULL_EXPORT';
  readonly exportTimeMs: number;
}

export interface KnownWindow extends KnownExportBase {
  readonly type: 'INCREMENTAL_EXPORT';
  readonly window: Window;
}

export type KnownExport = KnownFull | KnownWindow;

/** Where exports are put, as ExportTableToPointInTime takes it. */
export interface Destination {
  readonly s3Bucket: string;
  /** Without slashes at its ends; empty: the root of the bucket. */
  readonly s3Prefix: string;
  /** Account that owns the bucket; needed when it is another one. */
  readonly s3BucketOwner: string | null;
  readonly s3SseAlgorithm: 'AES256' | 'KMS' | null;
  readonly s3SseKmsKeyId: string | null;
}

/** What is asked for. */
export type ExportSubject =
  | { readonly type: 'FULL_EXPORT'; readonly exportTimeMs: number }
  | { readonly type: 'INCREMENTAL_EXPORT'; readonly window: Window; readonly view: ExportView };

/** ExportTableToPointInTime's fields. Times are whole seconds, in ms since the epoch. */
export interface ExportRequest {
  readonly tableArn: string;
  readonly tableId: string;
  readonly subject: ExportSubject;
  readonly destination: Destination;
  /** Without a slash at the end. */
  readonly s3Prefix: string;
  /** From 1. */
  readonly attempt: number;
  /** 32 hex digits. */
  readonly clientToken: string;
}
