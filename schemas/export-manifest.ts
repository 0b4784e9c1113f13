// An export as its manifests describe it, after parsing and checking.
// Source: Amazon DynamoDB Developer Guide, "DynamoDB table exports, output format" (manifest files).

export type ExportView = 'NEW_IMAGE' | 'NEW_AND_OLD_IMAGES';

/** A half-open window of whole seconds, in milliseconds since the epoch: `[fromMs, toMs)`. */
export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface ExportSummaryBase {
  readonly exportArn: string;
  readonly tableArn: string;
  /** Last part of tableArn after `table/`. */
  readonly tableName: string;
  readonly tableId: string;
  readonly itemCount: number;
  readonly billedSizeBytes: number;
  readonly s3Bucket: string | null;
  readonly s3Prefix: string | null;
  readonly manifestFilesS3Key: string;
  /** Hex MD5 of manifest-summary.json; identifies the export's content. */
  readonly manifestMd5: string;
  /** URI of manifest-summary.json as found. */
  readonly summaryUri: string;
}
export interface FullExport extends ExportSummaryBase {
  readonly type: 'FULL_EXPORT';
  /** Instant of the snapshot, ms since the epoch (may have a fraction of a second). */
  readonly exportTimeMs: number;
}
export interface IncrementalExport extends ExportSummaryBase {
  readonly type: 'INCREMENTAL_EXPORT';
  readonly window: Window;
  readonly view: ExportView;
}
/** An export whose summary was read and checked; its file list is read by a second step. */
export type ExportSummary = FullExport | IncrementalExport;

/** One line of manifest-files.json, resolved to where the file really lies. */
export interface ExportDataFile {
  readonly uri: string;
  readonly itemCount: number;
  /** Base64 MD5 of the stored .gz bytes. */
  readonly md5: string;
}
