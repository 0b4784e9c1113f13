// Reads an export the plain way, for the simulator's tests: JSON.parse, gunzip, MD5, nothing of ours.
// Promises: every checksum and count on the way is compared; a difference throws.
// Source: Amazon DynamoDB Developer Guide, "DynamoDB table exports, output format".

import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import type { TestStore } from './memory-store.js';

export interface FileEntry {
  itemCount: number;
  md5Checksum: string;
  etag: string;
  dataFileS3Key: string;
}

export interface ReadExport {
  summaryText: string;
  summary: Record<string, unknown>;
  filesText: string;
  files: FileEntry[];
  lines: string[];
}

function equal(actual: unknown, expected: unknown, what: string): void {
  if (actual !== expected) throw new Error(`${what}: ${String(actual)} is not ${String(expected)}`);
}

/** `rootUri` is what the keys of the manifests are relative to. */
export function readExport(store: TestStore, folderUri: string, rootUri: string): ReadExport {
  const summaryText = store.text(`${folderUri}/manifest-summary.json`);
  const filesText = store.text(`${folderUri}/manifest-files.json`);
  for (const [name, text] of [
    ['manifest-summary', summaryText],
    ['manifest-files', filesText],
  ] as const) {
    equal(
      store.text(`${folderUri}/${name}.md5`),
      createHash('md5').update(text).digest('base64'),
      name,
    );
  }
  const summary = JSON.parse(summaryText) as Record<string, unknown>;
  const files = filesText
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as FileEntry);
  const lines: string[] = [];
  for (const file of files) {
    const bytes = store.objects.get(`${rootUri}/${file.dataFileS3Key}`);
    if (bytes === undefined) throw new Error(`no object for ${file.dataFileS3Key}`);
    const md5 = createHash('md5').update(bytes);
    const digest = md5.digest();
    equal(file.md5Checksum, digest.toString('base64'), 'md5Checksum');
    equal(file.etag, `${digest.toString('hex')}-1`, 'etag');
    const text = gunzipSync(bytes).toString('utf8');
    if (text !== '' && !text.endsWith('\n'))
      throw new Error('a data file does not end in a newline');
    const found = text.split('\n').slice(0, -1);
    equal(found.length, file.itemCount, 'itemCount of a file');
    for (const line of found) lines.push(line);
  }
  equal(lines.length, summary.itemCount, 'itemCount of the summary');
  return { summaryText, summary, filesText, files, lines };
}
