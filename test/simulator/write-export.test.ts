// The files of an export: names, places, manifests, checksums, lines.
// Checked against what was read off real exports, with JSON.parse, gunzip and MD5 only.
// Source: Amazon DynamoDB Developer Guide, "DynamoDB table exports, output format".

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  type FullExportOptions,
  fullExport,
  incrementalExport,
  SimulatedTable,
} from '../../pipeline/simulator/index.js';
import type { AttributeValue } from '../../schemas/attribute.js';
import { TestStore } from './memory-store.js';
import { readExport } from './read-export.js';

const atMs = Date.UTC(2026, 0, 14, 10, 18, 50, 622);
const fromMs = Date.UTC(2026, 0, 14, 10, 20);
const toMs = fromMs + 900_000;

function table(): SimulatedTable {
  const made = new SimulatedTable({ name: 'orders', key: [{ name: 'id', tag: 'S' }], seed: 3 });
  for (let i = 0; i < 3; i++) {
    made.put(
      1000 + i,
      new Map<string, AttributeValue>([
        ['id', { S: `i${i}` }],
        ['é', { S: 'ü😀' }],
        ['n', { N: '1' }],
      ]),
    );
    made.put(
      fromMs * 1000 + i,
      new Map<string, AttributeValue>([
        ['id', { S: `i${i}` }],
        ['é', { S: 'ü' }],
        ['n', { N: '2' }],
      ]),
    );
  }
  return made;
}

async function full(options: Partial<FullExportOptions> = {}) {
  const store = new TestStore();
  const folderUri = options.folderUri ?? 's3://bucket';
  const written = await fullExport({
    table: table(),
    store,
    folderUri,
    files: 4,
    atMicros: atMs * 1000,
    ...options,
  });
  return { store, written };
}
async function incremental(more: object = {}) {
  const store = new TestStore();
  const written = await incrementalExport({
    table: table(),
    store,
    folderUri: 's3://bucket',
    files: 3,
    fromMs,
    toMs,
    view: 'NEW_AND_OLD_IMAGES',
    ...more,
  });
  return { store, written };
}

describe('a full export', () => {
  it('consists of the files DynamoDB writes, in a folder of its own', async () => {
    const { store, written } = await full();
    expect(written.folderUri).toMatch(/^s3:\/\/bucket\/AWSDynamoDB\/01768385\d{6}-[0-9a-f]{8}$/);
    expect(written.exportArn).toBe(
      `arn:aws:dynamodb:us-east-1:123456789012:table/orders/export/${written.folderUri.split('/').at(-1)!}`,
    );
    const names = [...store.objects.keys()].map((uri) => uri.slice(written.folderUri.length + 1));
    expect(names.filter((name) => !name.startsWith('data/')).sort()).toEqual([
      '_started',
      'manifest-files.json',
      'manifest-files.md5',
      'manifest-summary.json',
      'manifest-summary.md5',
    ]);
    expect(names.filter((name) => name.startsWith('data/'))).toHaveLength(5);
    for (const name of names)
      expect(name).toMatch(/^(_started|manifest-.*|data\/[a-z0-9]{26}\.json\.gz)$/);
    expect(store.text(`${written.folderUri}/_started`)).toBe('');
  });

  it('writes _started first and the checksum of the summary last', async () => {
    const { store } = await full();
    expect(store.published[0]).toMatch(/_started$/);
    expect(store.published.at(-1)).toMatch(/manifest-summary\.md5$/);
  });

  it('has the summary of a real export, member by member, without a trailing newline', async () => {
    const { store, written } = await full();
    const { summaryText, summary } = readExport(store, written.folderUri, 's3://bucket');
    expect(Object.keys(summary)).toEqual([
      'version',
      'exportArn',
      'startTime',
      'endTime',
      'tableArn',
      'tableId',
      'exportTime',
      's3Bucket',
      's3Prefix',
      's3SseAlgorithm',
      's3SseKmsKeyId',
      'manifestFilesS3Key',
      'billedSizeBytes',
      'itemCount',
      'outputFormat',
    ]);
    expect(summary).toMatchObject({
      version: '2020-06-30',
      tableArn: 'arn:aws:dynamodb:us-east-1:123456789012:table/orders',
      exportTime: '2026-01-14T10:18:50.622Z',
      s3Bucket: 'bucket',
      s3Prefix: null,
      s3SseAlgorithm: 'AES256',
      s3SseKmsKeyId: null,
      billedSizeBytes: 0,
      itemCount: 3,
      outputFormat: 'DYNAMODB_JSON',
    });
    expect(summaryText.endsWith('}')).toBe(true);
    expect(summaryText).not.toContain('\n');
    expect(String(summary.startTime) >= String(summary.exportTime)).toBe(true);
    expect(String(summary.endTime) > String(summary.startTime)).toBe(true);
  });

  it('has checksum files of 24 characters, the base64 MD5 of the JSON beside them', async () => {
    const { store, written } = await full();
    for (const name of ['manifest-summary', 'manifest-files']) {
      const checksum = store.text(`${written.folderUri}/${name}.md5`);
      const bytes = await store.read(`${written.folderUri}/${name}.json`);
      expect(checksum).toHaveLength(24);
      expect(checksum).toBe(createHash('md5').update(bytes).digest('base64'));
    }
  });

  it('lists its data files as JSON lines that end in a newline, in the members of real ones', async () => {
    const { store, written } = await full();
    const { filesText, files } = readExport(store, written.folderUri, 's3://bucket');
    expect(filesText.endsWith('}\n')).toBe(true);
    expect(files).toHaveLength(5);
    const id = written.folderUri.split('/').at(-1)!;
    for (const file of files) {
      expect(Object.keys(file)).toEqual(['itemCount', 'md5Checksum', 'etag', 'dataFileS3Key']);
      expect(file.dataFileS3Key).toMatch(
        new RegExp(`^AWSDynamoDB/${id}/data/[a-z0-9]{26}\\.json\\.gz$`),
      );
      expect(file.etag).toBe(`${Buffer.from(file.md5Checksum, 'base64').toString('hex')}-1`);
    }
  });

  it('has empty files of 20 bytes, sometimes first in the list', async () => {
    let firstCount = 0;
    for (let seed = 0; seed < 10; seed++) {
      const { store, written } = await full({ seed });
      const { files } = readExport(store, written.folderUri, 's3://bucket');
      const empty = files.filter((file) => file.itemCount === 0);
      expect(empty.length).toBeGreaterThanOrEqual(1);
      for (const file of empty)
        expect(store.objects.get(`s3://bucket/${file.dataFileS3Key}`)).toHaveLength(20);
      if (files[0]!.itemCount === 0) firstCount++;
    }
    expect(firstCount).toBeGreaterThan(0);
    expect(firstCount).toBeLessThan(10);
  });

  it('has one Item per line and keeps one partition key in one file', async () => {
    const made = new SimulatedTable({
      name: 'orders',
      key: [
        { name: 'p', tag: 'S' },
        { name: 's', tag: 'N' },
      ],
    });
    for (let i = 0; i < 200; i++) {
      made.put(
        1,
        new Map<string, AttributeValue>([
          ['p', { S: `p${i % 20}` }],
          ['s', { N: String(i) }],
        ]),
      );
    }
    const store = new TestStore();
    const written = await fullExport({
      table: made,
      store,
      folderUri: 's3://bucket',
      files: 4,
      atMicros: 2000,
    });
    const { files, lines } = readExport(store, written.folderUri, 's3://bucket');
    expect(new Set(lines).size).toBe(200);
    for (const line of lines) expect(line).toMatch(/^\{"Item":\{.*\}\}$/);
    const fileOf = new Map<string, number>();
    let at = 0;
    for (const [i, file] of files.entries()) {
      for (const line of lines.slice(at, at + file.itemCount)) {
        const partition = /"p":\{"S":"(p\d+)"\}/.exec(line)![1]!;
        expect(fileOf.get(partition) ?? i).toBe(i);
        fileOf.set(partition, i);
      }
      at += file.itemCount;
    }
    expect(new Set(fileOf.values()).size).toBeGreaterThan(1);
  });

  it('of an empty table is whole, with empty files', async () => {
    const made = new SimulatedTable({ name: 'empty', key: [{ name: 'id', tag: 'S' }] });
    const store = new TestStore();
    const written = await fullExport({
      table: made,
      store,
      folderUri: 's3://bucket',
      files: 1,
      atMicros: 0,
    });
    const { summary, files } = readExport(store, written.folderUri, 's3://bucket');
    expect(summary).toMatchObject({ itemCount: 0, billedSizeBytes: 0 });
    expect(files).toHaveLength(1);
    expect(store.objects.get(`s3://bucket/${files[0]!.dataFileS3Key}`)).toHaveLength(20);
  });

  it('puts the prefix into the keys, or leaves it out, and writes to the same place', async () => {
    for (const [layout, root] of [
      ['with-prefix', 's3://bucket'],
      ['without-prefix', 's3://bucket/my/prefix'],
    ] as const) {
      const { store, written } = await full({ s3Prefix: 'my/prefix', layout });
      expect(written.folderUri).toMatch(/^s3:\/\/bucket\/my\/prefix\/AWSDynamoDB\/0/);
      const { summary, files } = readExport(store, written.folderUri, root);
      expect(summary.s3Prefix).toBe('my/prefix');
      const start = layout === 'with-prefix' ? 'my/prefix/AWSDynamoDB/' : 'AWSDynamoDB/';
      expect(String(summary.manifestFilesS3Key).startsWith(start)).toBe(true);
      expect(files.every((file) => file.dataFileS3Key.startsWith(start))).toBe(true);
      expect(await store.size(`${root}/${String(summary.manifestFilesS3Key)}`)).not.toBeNull();
    }
  });

  it('takes the path of an s3:// folder for the prefix, and a folder on disk for the bucket', async () => {
    const inFolder = await full({ folderUri: 's3://bucket/folder/' });
    expect(
      readExport(inFolder.store, inFolder.written.folderUri, 's3://bucket').summary.s3Prefix,
    ).toBe('folder');
    const onDisk = await full({ folderUri: 'file:///exports', bucket: 'shop' });
    expect(
      readExport(onDisk.store, onDisk.written.folderUri, 'file:///exports').summary,
    ).toMatchObject({
      s3Bucket: 'shop',
      s3Prefix: null,
    });
  });

  it('is the same byte by byte for the same seed, and other bytes of the same items for another', async () => {
    const one = await full({ seed: 1 });
    const again = await full({ seed: 1 });
    const other = await full({ seed: 2 });
    expect([...one.store.objects]).toEqual([...again.store.objects]);
    expect(other.written.folderUri).not.toBe(one.written.folderUri);
    const itemsOf = ({ store, written }: typeof one) =>
      readExport(store, written.folderUri, 's3://bucket')
        .lines.map((line) =>
          JSON.stringify(Object.entries((JSON.parse(line) as { Item: object }).Item).sort()),
        )
        .sort();
    expect(itemsOf(other)).toEqual(itemsOf(one));
  });

  it('escapes what is not ASCII in some lines and not in others', async () => {
    const made = new SimulatedTable({ name: 't', key: [{ name: 'é', tag: 'S' }] });
    for (let i = 0; i < 200; i++) made.put(1, new Map([['é', { S: `😀${i}\u2028\u0000` }]]));
    const store = new TestStore();
    const written = await fullExport({
      table: made,
      store,
      folderUri: 's3://bucket',
      files: 1,
      atMicros: 2000,
    });
    const { lines } = readExport(store, written.folderUri, 's3://bucket');
    expect(lines.some((line) => line.includes('"\\u00e9":{"S":"\\ud83d\\ude00'))).toBe(true);
    expect(
      lines.some((line) => line.includes('"é":{"S":"😀') && line.includes('\u2028\\u0000')),
    ).toBe(true);
    for (const line of lines) expect(JSON.parse(line).Item.é.S).toMatch(/^😀\d+\u2028\0$/);
  });

  it('refuses an instant finer than a millisecond, and no files', async () => {
    await expect(full({ atMicros: 1500.5 })).rejects.toThrow('USAGE');
    await expect(full({ atMicros: 1001 })).rejects.toThrow('USAGE');
    await expect(full({ files: 0 })).rejects.toThrow('USAGE');
  });

  it('leaves no manifest when a write fails', async () => {
    const store = new TestStore();
    const create = store.create.bind(store);
    let aborted = 0;
    store.create = async (uri) => {
      const writer = await create(uri);
      const fail = async (): Promise<void> => {
        throw new Error('disk full');
      };
      return { ...writer, write: fail, abort: async () => void aborted++ };
    };
    const doomed = fullExport({
      table: table(),
      store,
      folderUri: 's3://bucket',
      files: 2,
      atMicros: atMs * 1000,
    });
    await expect(doomed).rejects.toThrow('disk full');
    expect(aborted).toBe(3);
    expect(store.published.every((uri) => !uri.includes('manifest'))).toBe(true);
  });
});

describe('an incremental export', () => {
  it('has the summary of a real export, member by member', async () => {
    const { store, written } = await incremental();
    const { summary, summaryText } = readExport(store, written.folderUri, 's3://bucket');
    expect(Object.keys(summary)).toEqual([
      'version',
      'exportArn',
      'startTime',
      'endTime',
      'tableArn',
      'tableId',
      'exportFromTime',
      'exportToTime',
      's3Bucket',
      's3Prefix',
      's3SseAlgorithm',
      's3SseKmsKeyId',
      'manifestFilesS3Key',
      'billedSizeBytes',
      'itemCount',
      'outputFormat',
      'outputView',
      'exportType',
    ]);
    expect(summary).toMatchObject({
      version: '2023-08-01',
      exportFromTime: '2026-01-14T10:20:00.000Z',
      exportToTime: '2026-01-14T10:35:00.000Z',
      billedSizeBytes: 10000000,
      itemCount: 3,
      outputView: 'NEW_AND_OLD_IMAGES',
      exportType: 'INCREMENTAL_EXPORT',
    });
    expect(summaryText.endsWith('}')).toBe(true);
    expect(String(summary.startTime) > String(summary.exportToTime)).toBe(true);
  });

  it('shares its data folder with the other incremental exports', async () => {
    const { store, written } = await incremental();
    await incrementalExport({
      table: table(),
      store,
      folderUri: 's3://bucket',
      files: 3,
      fromMs: toMs,
      toMs: toMs + 900_000,
      view: 'NEW_IMAGE',
    });
    const { files } = readExport(store, written.folderUri, 's3://bucket');
    expect(files).toHaveLength(4);
    for (const file of files)
      expect(file.dataFileS3Key).toMatch(/^AWSDynamoDB\/data\/[a-z0-9]{26}\.json\.gz$/);
    expect(await store.children('s3://bucket/AWSDynamoDB/data')).toHaveLength(8);
  });

  it('writes the members of a record in the order of real ones', async () => {
    const { store, written } = await incremental();
    for (const line of readExport(store, written.folderUri, 's3://bucket').lines) {
      expect(line).toMatch(
        /^\{"Metadata":\{"WriteTimestampMicros":\{"N":"\d{16}"\}\},"Keys":\{"id":\{"S":"i\d"\}\},"OldImage":\{.*\},"NewImage":\{.*\}\}$/,
      );
    }
  });

  it('can write the time as the documentation shows it', async () => {
    const { store, written } = await incremental({ writeTimestamp: 'bare' });
    for (const line of readExport(store, written.folderUri, 's3://bucket').lines) {
      expect(line).toMatch(/^\{"Metadata":\{"WriteTimestampMicros":"\d{16}"\},/);
    }
  });

  it('of a quiet window has empty files, no records and the minimum bill', async () => {
    const { store, written } = await incremental({ fromMs: toMs, toMs: toMs + 900_000 });
    const { summary, lines } = readExport(store, written.folderUri, 's3://bucket');
    expect(lines).toEqual([]);
    expect(summary).toMatchObject({ itemCount: 0, billedSizeBytes: 10000000 });
  });

  it('refuses windows that are empty or not of whole seconds', async () => {
    await expect(incremental({ fromMs: fromMs + 1 })).rejects.toThrow('USAGE');
    await expect(incremental({ toMs: toMs + 500 })).rejects.toThrow('USAGE');
    await expect(incremental({ toMs: fromMs })).rejects.toThrow('USAGE');
  });
});
