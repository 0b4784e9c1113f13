// Exports: ExportTableToPointInTime, DescribeExport, ListExports, and the jobs behind them.
// Promises: a job ends when the clock has passed its end and anybody asks the simulator anything; what it wrote is the
// table's state at the instant asked for. A crash leaves it in progress, and the next try writes the same bytes.
// Source: Amazon DynamoDB API Reference, the pages of these actions; Developer Guide, "DynamoDB data export to Amazon S3: how
// it works", "Quotas in Amazon DynamoDB".

import type { Ids } from '../../ports.js';
import { billedBytes, type ExportOptions, fullExport, incrementalExport } from '../write-export.js';
import type { BilledExport } from './bill.js';
import {
  boundedIn,
  DynamoDbFault,
  invalid,
  type Json,
  neededText,
  textIn,
} from './dynamodb-call.js';
import {
  type ExportPlace,
  type ExportScope,
  exportPlaceOf,
  exportScopeOf,
  requestText,
} from './dynamodb-export-request.js';
import { restorableWindow } from './dynamodb-pitr.js';
import { meetTrouble } from './dynamodb-settings.js';
import { type DynamoDbState, nameOf, type SimTable, tableArn } from './dynamodb-state.js';
import { itemBytes } from './dynamodb-values.js';
import { S3Refusal, s3Writer } from './s3-writer.js';
import type { SimService } from './service.js';

const exportPrefix = 'dynamodb/export/';
const tokenMs = 8 * 3_600_000;
/** How long exports can be described, ms. */
const describedMs = 90 * 86_400_000;
const listedMax = 25;

interface StoredExport extends ExportPlace {
  readonly id: string;
  readonly tableId: string;
  readonly tableName: string;
  readonly token: string | null;
  /** What the token stands for. */
  readonly request: string;
  readonly scope: ExportScope;
  readonly requestedMs: number;
  readonly dueMs: number;
  /** Size of the table when it was asked for, in bytes. */
  readonly tableBytes: number;
  /** How it is to fail, or null. */
  readonly trouble: Failure | null;
  readonly result:
    | { readonly status: 'IN_PROGRESS' }
    | { readonly status: 'COMPLETED'; readonly itemCount: number; readonly billedBytes: number }
    | { readonly status: 'FAILED'; readonly code: string; readonly message: string };
}

interface Failure {
  readonly code: string;
  readonly message: string;
  readonly isPartial: boolean;
}

/** What all exports came to. */
export interface ExportTotals {
  readonly inProgress: number;
  readonly completed: number;
  readonly failed: number;
  /** Bytes that AWS would bill, by type of export. */
  readonly billedBytes: { readonly full: number; readonly incremental: number };
}

export class DynamoDbExports {
  readonly #state: DynamoDbState;
  readonly #s3: SimService;
  readonly #ids: Ids;
  /** By id, oldest first. */
  readonly #exports = new Map<string, StoredExport>();
  readonly #inProgress = new Set<string>();

  private constructor(state: DynamoDbState, s3: SimService, ids: Ids) {
    this.#state = state;
    this.#s3 = s3;
    this.#ids = ids;
  }

  static async open(state: DynamoDbState, s3: SimService, ids: Ids): Promise<DynamoDbExports> {
    const exports = new DynamoDbExports(state, s3, ids);
    for (const name of await state.documents.names(exportPrefix)) {
      exports.#keep((await state.documents.get(name)) as StoredExport);
    }
    return exports;
  }

  #keep(stored: StoredExport): void {
    this.#exports.set(stored.id, stored);
    // A write to come is behind the instant of an export, also where the clock stands still.
    const table = this.#state.byId(stored.tableId);
    if (table !== null && stored.scope.type === 'FULL_EXPORT') {
      table.lastMicros = Math.max(table.lastMicros, stored.scope.atMs * 1000 - 1);
    }
    if (stored.result.status === 'IN_PROGRESS') this.#inProgress.add(stored.id);
    else this.#inProgress.delete(stored.id);
  }

  /** Whether an export in progress needs the past of a table. */
  isPastNeeded(tableId: string): boolean {
    return [...this.#inProgress].some((id) => this.#exports.get(id)!.tableId === tableId);
  }

  /** Forgets pasts that a crash left after the last export that needed them had ended. */
  async forgetUnneeded(): Promise<void> {
    for (const tableId of this.#state.deletedIds()) {
      if (!this.isPastNeeded(tableId)) await this.#state.forget(tableId);
    }
  }

  totals(): ExportTotals {
    const totals = { inProgress: 0, completed: 0, failed: 0, billed: { full: 0, incremental: 0 } };
    for (const { result, scope } of this.#exports.values()) {
      if (result.status === 'IN_PROGRESS') totals.inProgress += 1;
      else if (result.status === 'FAILED') totals.failed += 1;
      else {
        totals.completed += 1;
        totals.billed[scope.type === 'FULL_EXPORT' ? 'full' : 'incremental'] += result.billedBytes;
      }
    }
    const { billed, ...counts } = totals;
    return { ...counts, billedBytes: billed };
  }

  /** What is charged for the exports that were asked for from an instant on and have completed. */
  billed(sinceMs: number): readonly BilledExport[] {
    return [...this.#exports.values()].flatMap(({ requestedMs, tableName, scope, result }) =>
      requestedMs < sinceMs || result.status !== 'COMPLETED'
        ? []
        : [
            {
              table: tableName,
              isIncremental: scope.type !== 'FULL_EXPORT',
              billedBytes: result.billedBytes,
            },
          ],
    );
  }

  /** ExportTableToPointInTime. */
  request(input: Json): Promise<Json> {
    const arn = neededText(input, 'TableArn');
    const name = nameOf(arn);
    const place = exportPlaceOf(input);
    const token = textIn(input, 'ClientToken');
    const text = requestText(input);
    // Tokens are the account's, so requests for different tables must not pass each other.
    return this.#state.alone('exports', async () => {
      const table = this.#state.find(name);
      if (table === null) {
        throw new DynamoDbFault('TableNotFoundException', `Table not found: ${name}`);
      }
      const before = token === null ? null : this.#withToken(token);
      if (before !== null) {
        if (before.request === text) return { ExportDescription: describe(before) };
        throw new DynamoDbFault(
          'ExportConflictException',
          'An export with the same ClientToken and other parameters was requested before',
        );
      }
      const asked = await this.#ask(table, { place, token, request: text }, input);
      return { ExportDescription: describe(asked) };
    });
  }

  #withToken(token: string): StoredExport | null {
    const sinceMs = this.#state.clock.nowMs() - tokenMs;
    for (const each of this.#exports.values()) {
      if (each.token === token && each.requestedMs > sinceMs) return each;
    }
    return null;
  }

  async #ask(
    table: SimTable,
    asked: { place: ExportPlace; token: string | null; request: string },
    input: Json,
  ): Promise<StoredExport> {
    const { clock, settings } = this.#state;
    const { pitr, name, tableId } = table.stored;
    const nowMs = clock.nowMs();
    if (pitr === null) {
      throw new DynamoDbFault(
        'PointInTimeRecoveryUnavailableException',
        `Point in time recovery is not enabled for table '${name}'`,
      );
    }
    const window = restorableWindow(pitr, nowMs, settings.pitrLagMs);
    // An export "now" has every write that was answered before it was asked for.
    const freshMs = Math.max(nowMs, Math.ceil((table.lastMicros + 1) / 1000));
    const scope = exportScopeOf(input, window, freshMs);
    this.#assertQuota(scope.type, table.sizeBytes);
    const { met, left } = meetTrouble(settings.exportTroubles, name);
    if (met !== null) await this.#state.setSettings({ ...settings, exportTroubles: left });
    const stored: StoredExport = {
      ...asked.place,
      id: `0${nowMs}-${this.#ids.uuid().slice(0, 8)}`,
      tableId,
      tableName: name,
      token: asked.token,
      request: asked.request,
      scope,
      requestedMs: nowMs,
      dueMs: nowMs + (met?.exportMs ?? settings.exportMs),
      tableBytes: table.sizeBytes,
      trouble:
        met?.code === undefined
          ? null
          : {
              code: met.code,
              message: met.message ?? 'the simulator was told to let this export fail',
              isPartial: met.isPartial ?? false,
            },
      result: { status: 'IN_PROGRESS' },
    };
    await this.#save(stored);
    return stored;
  }

  async #save(stored: StoredExport): Promise<void> {
    await this.#state.documents.put(`${exportPrefix}${stored.id}`, stored);
    this.#keep(stored);
  }

  #assertQuota(type: ExportScope['type'], tableBytes: number): void {
    const { exportsMax, exportBytesMax } = this.#state.settings;
    const running = [...this.#inProgress]
      .map((id) => this.#exports.get(id)!)
      .filter(({ scope }) => scope.type === type);
    const bytes = running.reduce((sum, each) => sum + each.tableBytes, tableBytes);
    if (running.length < exportsMax && bytes <= exportBytesMax) return;
    throw new DynamoDbFault(
      'LimitExceededException',
      'Subscriber limit exceeded: too many exports are in progress',
    );
  }

  async describe(input: Json): Promise<Json> {
    const id = /\/export\/([^/]+)$/.exec(neededText(input, 'ExportArn'))?.[1];
    const stored = id === undefined ? undefined : this.#exports.get(id);
    if (stored === undefined || arnOf(stored) !== input.ExportArn || !this.#isKnown(stored)) {
      throw new DynamoDbFault('ExportNotFoundException', 'Export not found');
    }
    return { ExportDescription: describe(stored) };
  }

  /** ListExports: the newest first. */
  async list(input: Json): Promise<Json> {
    const arn = textIn(input, 'TableArn');
    const name = arn === null ? null : nameOf(arn);
    const most = boundedIn(input, 'MaxResults', 1, listedMax) ?? listedMax;
    const token = textIn(input, 'NextToken');
    const before = token === null ? null : idAfter(token);
    const all = [...this.#exports.values()]
      .filter((each) => (name === null || each.tableName === name) && this.#isKnown(each))
      .sort((a, b) => (a.id < b.id ? 1 : -1))
      .filter(({ id }) => before === null || id < before);
    const page = all.slice(0, most);
    return {
      ExportSummaries: page.map((each) => ({
        ExportArn: arnOf(each),
        ExportStatus: each.result.status,
        ExportType: each.scope.type,
      })),
      ...(all.length > page.length ? { NextToken: tokenOf(page.at(-1)!.id) } : {}),
    };
  }

  #isKnown({ requestedMs }: StoredExport): boolean {
    return requestedMs > this.#state.clock.nowMs() - describedMs;
  }

  /** Ends the exports whose time has come, in the order of their ends. */
  async settle(): Promise<void> {
    if (this.#due().length === 0) return;
    await this.#state.alone('export jobs', async () => {
      for (const each of this.#due()) {
        await this.#save({ ...each, result: await this.#run(each) });
        if (!this.isPastNeeded(each.tableId)) await this.#state.forget(each.tableId);
      }
    });
  }

  #due(): readonly StoredExport[] {
    const nowMs = this.#state.clock.nowMs();
    return [...this.#inProgress]
      .map((id) => this.#exports.get(id)!)
      .filter(({ dueMs }) => dueMs <= nowMs)
      .sort((a, b) => a.dueMs - b.dueMs || (a.id < b.id ? -1 : 1));
  }

  async #run(stored: StoredExport): Promise<StoredExport['result']> {
    const { trouble } = stored;
    if (trouble?.isPartial === false) return failed(trouble);
    try {
      const { itemCount } = await this.#write(stored);
      return { status: 'COMPLETED', itemCount, billedBytes: this.#billed(stored) };
    } catch (error) {
      if (error instanceof BrokenOff) return failed(trouble!);
      const failure = error instanceof S3Refusal ? s3Failures[error.code] : undefined;
      if (failure === undefined) throw error;
      return failed(failure);
    }
  }

  #write(stored: StoredExport): Promise<{ readonly itemCount: number }> {
    const { scope, trouble, bucketOwner, sseAlgorithm, sseKmsKeyId } = stored;
    const store = s3Writer(this.#s3, {
      ...(bucketOwner === null ? {} : { 'x-amz-expected-bucket-owner': bucketOwner }),
      ...(sseAlgorithm === 'KMS' ? { 'x-amz-server-side-encryption': 'aws:kms' } : {}),
    });
    const options: ExportOptions = {
      table: this.#tableOf(stored).past,
      store: trouble === null ? store : { ...store, put: breakOff(store.put) },
      folderUri: `s3://${stored.bucket}`,
      files: this.#state.settings.dataFiles,
      seed: stored.id,
      ...(stored.prefix === null ? {} : { s3Prefix: folderOf(stored.prefix) }),
      job: {
        exportId: stored.id,
        startMs: stored.requestedMs,
        endMs: stored.dueMs,
        billedBytes: this.#billed(stored),
        sseAlgorithm,
        sseKmsKeyId,
      },
    };
    if (scope.type === 'FULL_EXPORT') {
      return fullExport({ ...options, atMicros: scope.atMs * 1000 });
    }
    return incrementalExport({ ...options, ...scope });
  }

  #tableOf({ tableId }: StoredExport): SimTable {
    const table = this.#state.byId(tableId);
    if (table === null) throw new Error(`the past of table ${tableId} is gone`);
    return table;
  }

  /** A full export is billed by the table's size then, an incremental one by what was written in the window. */
  #billed(stored: StoredExport): number {
    const { past } = this.#tableOf(stored);
    const { scope } = stored;
    let bytes = 0;
    if (scope.type === 'FULL_EXPORT') {
      for (const item of past.itemsAt(scope.atMs * 1000)) bytes += itemBytes(item);
      return billedBytes(false, bytes);
    }
    for (const { keys, item } of past.writesIn(scope.fromMs * 1000, scope.toMs * 1000)) {
      bytes += itemBytes(item ?? keys);
    }
    return billedBytes(true, bytes);
  }
}

class BrokenOff extends Error {}

/** A put that takes all but manifests: what a job that failed late leaves behind. */
function breakOff(
  put: (uri: string, bytes: Uint8Array) => Promise<void>,
): (uri: string, bytes: Uint8Array) => Promise<void> {
  return async (uri, bytes) => {
    if (/\/manifest-[^/]*$/.test(uri)) throw new BrokenOff();
    await put(uri, bytes);
  };
}

function failed({ code, message }: Pick<Failure, 'code' | 'message'>): StoredExport['result'] {
  return { status: 'FAILED', code, message };
}

/** What S3 may refuse of a job, by its code. S3NoSuchBucket was seen at AWS; the name for a denial is made like it. */
const s3Failures: Readonly<Record<string, Pick<Failure, 'code' | 'message'>>> = {
  NoSuchBucket: { code: 'S3NoSuchBucket', message: 'The specified bucket does not exist' },
  AccessDenied: { code: 'S3AccessDenied', message: 'Access to the bucket was denied' },
};

function folderOf(prefix: string): string {
  return prefix.replace(/\/+$/, '');
}

function arnOf({ tableName, id }: StoredExport): string {
  return `${tableArn(tableName)}/export/${id}`;
}

function describe(stored: StoredExport): Json {
  const { scope, result, prefix } = stored;
  const folder = prefix === null ? '' : `${folderOf(prefix)}/`;
  const isFull = scope.type === 'FULL_EXPORT';
  return {
    ExportArn: arnOf(stored),
    ExportStatus: result.status,
    StartTime: stored.requestedMs / 1000,
    ...(result.status === 'IN_PROGRESS' ? {} : { EndTime: stored.dueMs / 1000 }),
    ...(result.status === 'COMPLETED'
      ? {
          ExportManifest: `${folder}AWSDynamoDB/${stored.id}/manifest-summary.json`,
          BilledSizeBytes: result.billedBytes,
          ItemCount: result.itemCount,
        }
      : {}),
    ...(result.status === 'FAILED'
      ? { FailureCode: result.code, FailureMessage: result.message }
      : {}),
    TableArn: tableArn(stored.tableName),
    TableId: stored.tableId,
    ...(stored.token === null ? {} : { ClientToken: stored.token }),
    S3Bucket: stored.bucket,
    ...(stored.bucketOwner === null ? {} : { S3BucketOwner: stored.bucketOwner }),
    ...(prefix === null ? {} : { S3Prefix: prefix }),
    S3SseAlgorithm: stored.sseAlgorithm,
    ...(stored.sseKmsKeyId === null ? {} : { S3SseKmsKeyId: stored.sseKmsKeyId }),
    ExportFormat: 'DYNAMODB_JSON',
    ExportType: scope.type,
    ...(isFull
      ? { ExportTime: scope.atMs / 1000 }
      : {
          IncrementalExportSpecification: {
            ExportFromTime: scope.fromMs / 1000,
            ExportToTime: scope.toMs / 1000,
            ExportViewType: scope.view,
          },
        }),
  };
}

function tokenOf(id: string): string {
  return Buffer.from(`before ${id}`).toString('base64');
}

function idAfter(token: string): string {
  const text = Buffer.from(token, 'base64').toString('utf8');
  if (!text.startsWith('before ')) throw invalid('Invalid NextToken');
  return text.slice('before '.length);
}
