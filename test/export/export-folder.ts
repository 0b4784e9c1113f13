// Builds export folders in a store, as DynamoDB lays them out, so that tests can damage them.
// Promises: nothing here is shared with the code under test.
// Source: Amazon DynamoDB Developer Guide, "DynamoDB table exports, output format".
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { MemoryStore } from '../../pipeline/local/memory-store.js';
import type { ObjectStore } from '../../pipeline/ports.js';

export const exportId = '01693685827463-2d8752fd';
export const tableArn = 'arn:aws:dynamodb:us-east-1:123456789012:table/ProductCatalog';
export const md5Of = (bytes: Uint8Array): string =>
  createHash('md5').update(bytes).digest('base64');
export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

export interface ExportOptions {
  readonly kind?: 'full' | 'incremental';
  /** Folder on the store. Default `m://bucket`. */
  readonly at?: string;
  /** Prefix as written in the manifests, with its slash, e.g. `a/b/`. */
  readonly prefix?: string;
  /** Whether the files lie below the prefix. Default true. */
  readonly isPrefixOnDisk?: boolean;
  /** Lines of each data file. */
  readonly files?: readonly (readonly string[])[];
  /** Changes fields of the summary; undefined removes one. */
  readonly summary?: Readonly<Record<string, unknown>>;
  /** Changes the text of the summary, and of the file list. */
  readonly summaryText?: (text: string) => string;
  readonly filesText?: (text: string) => string;
  readonly checksumName?: 'md5' | 'checksum';
  readonly checksumText?: (text: string) => string;
}

export interface BuiltExport {
  readonly store: ObjectStore;
  readonly summaryUri: string;
  readonly folder: string;
  /** Key of each data file as written, and where it lies. */
  readonly data: readonly { readonly key: string; readonly uri: string }[];
}

const full = {
  version: '2020-06-30',
  exportTime: '2026-01-14T10:18:50.622Z',
};
const incremental = {
  version: '2023-08-01',
  exportFromTime: '2023-09-18T17:00:00.000Z',
  exportToTime: '2023-09-19T04:00:00.000Z',
  outputView: 'NEW_AND_OLD_IMAGES',
  exportType: 'INCREMENTAL_EXPORT',
};

/** Writes an export; two records in three files unless told otherwise. */
export async function buildExport(
  options: ExportOptions = {},
  store: ObjectStore = new MemoryStore(),
): Promise<BuiltExport> {
  const kind = options.kind ?? 'full';
  const prefix = options.prefix ?? '';
  const at = options.at ?? 'm://bucket';
  const root = options.isPrefixOnDisk === false ? at : `${at}/${prefix}`.replace(/\/$/, '');
  const folder = `${root}/AWSDynamoDB/${exportId}`;
  const contents = options.files ?? [
    [],
    ['{"Item":{"id":{"N":"1"}}}'],
    ['{"Item":{"id":{"N":"2"}}}'],
  ];
  const dataFolder = kind === 'full' ? `AWSDynamoDB/${exportId}/data` : 'AWSDynamoDB/data';
  const data: { key: string; uri: string }[] = [];
  let list = '';
  for (const [i, lines] of contents.entries()) {
    const gz = gzipSync(lines.map((line) => `${line}\n`).join(''));
    const bare = `${dataFolder}/sgad6417s6vss4p7owp0471bc${i}.json.gz`;
    await store.put(`${root}/${bare}`, gz);
    data.push({ key: prefix + bare, uri: `${root}/${bare}` });
    const line = {
      itemCount: lines.length,
      md5Checksum: md5Of(gz),
      etag: `${createHash('md5').update(gz).digest('hex')}-1`,
      dataFileS3Key: prefix + bare,
    };
    list += `${JSON.stringify(line)}\n`;
  }
  const summary = {
    exportArn: `${tableArn}/export/${exportId}`,
    startTime: '2023-09-19T04:20:18.000Z',
    endTime: '2023-09-19T04:40:24.780Z',
    tableArn,
    tableId: '12345a12-abcd-123a-ab12-1234abc12345',
    ...(kind === 'full' ? full : incremental),
    s3Bucket: 'ddb-productcatalog-export',
    s3Prefix: prefix === '' ? null : prefix.replace(/\/$/, ''),
    s3SseAlgorithm: 'AES256',
    s3SseKmsKeyId: null,
    manifestFilesS3Key: `${prefix}AWSDynamoDB/${exportId}/manifest-files.json`,
    billedSizeBytes: 20901239349,
    itemCount: contents.reduce((sum, lines) => sum + lines.length, 0),
    outputFormat: 'DYNAMODB_JSON',
    ...options.summary,
  };
  const documents = {
    'manifest-summary': (options.summaryText ?? same)(JSON.stringify(summary)),
    'manifest-files': (options.filesText ?? same)(list),
  };
  for (const [name, text] of Object.entries(documents)) {
    await store.put(`${folder}/${name}.json`, bytesOf(text));
    const checksum = (options.checksumText ?? same)(md5Of(bytesOf(text)));
    await store.put(`${folder}/${name}.${options.checksumName ?? 'md5'}`, bytesOf(checksum));
  }
  await store.put(`${folder}/_started`, new Uint8Array(0));
  return { store, folder, summaryUri: `${folder}/manifest-summary.json`, data };
}

const same = (text: string): string => text;
