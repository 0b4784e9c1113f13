import { describe, expect, it } from 'vitest';
import { findExports } from '../../pipeline/export/find-exports.js';
import { parseInstant } from '../../pipeline/export/instants.js';
import { readDataFiles } from '../../pipeline/export/read-files.js';
import { readSummary } from '../../pipeline/export/read-summary.js';
import { parseObject } from '../../pipeline/export/strict-json.js';
import { MemoryStore } from '../../pipeline/local/memory-store.js';
import type { ObjectStore } from '../../pipeline/ports.js';
import { TidelakeError } from '../../schemas/errors.js';
import type { ExportDataFile } from '../../schemas/export-manifest.js';
import {
  buildExport,
  bytesOf,
  type ExportOptions,
  exportId,
  md5Of,
  tableArn,
} from './export-folder.js';

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => 'no error',
    (reason: unknown) => reason,
  );
  if (!(error instanceof TidelakeError)) return String(error);
  expect(error.next).not.toBe('');
  return error.code;
}

async function summaryCode(options: ExportOptions): Promise<string> {
  const { store, summaryUri } = await buildExport(options);
  return codeOf(readSummary(store, summaryUri));
}

async function readAll(store: ObjectStore, summaryUri: string): Promise<readonly ExportDataFile[]> {
  return readDataFiles(store, await readSummary(store, summaryUri));
}

async function filesCode(options: ExportOptions): Promise<string> {
  const { store, summaryUri } = await buildExport(options);
  const summary = await readSummary(store, summaryUri);
  return codeOf(readDataFiles(store, summary));
}

describe('instants of manifests', () => {
  // Seconds from `date -u -d <text> +%s`.
  it.each([
    ['2026-01-14T10:18:50.622Z', 1768385930622],
    ['2023-09-18T17:00:00.000Z', 1695056400000],
    ['2023-09-18T17:00:00Z', 1695056400000],
    ['2024-02-29T00:00:00.5Z', 1709164800500],
    ['2024-02-29T00:00:00.123000000Z', 1709164800123],
  ])('reads %s exactly', (text, ms) => {
    expect(parseInstant(text)).toBe(ms);
  });

  it.each([
    '',
    '2023-02-29T00:00:00Z',
    '2023-09-18T24:00:00Z',
    '2023-09-18T17:00:60Z',
    '2023-13-18T17:00:00Z',
    '2023-09-18 17:00:00Z',
    '2023-09-18T17:00:00',
    '2023-09-18T17:00:00+01:00',
    '2023-09-18T17:00:00.1234Z',
    '1695056400000',
  ])('does not guess at %j', (text) => {
    expect(parseInstant(text)).toBeNull();
  });
});

describe('strict JSON', () => {
  it.each([
    '{"a":1,"a":2}',
    '{"a":1,"\\u0061":2}',
    '{"x":{"a":1,"b":{},"a":[]}}',
    '{"x":[{"a":1},{"b":1,"b":1}]}',
    '{"a" :1, "a"\n:1}',
  ])('refuses a name given twice: %s', (text) => {
    expect(() => parseObject(text)).toThrow('name twice');
  });

  it('takes equal names in different objects, and strings that look like names', () => {
    const text = '{"a":{"a":"a\\": {"},"b":[{"a":1},{"a":":"}],"__proto__":{"a":1},"c":"\\"a\\":"}';
    expect(Object.keys(parseObject(text))).toEqual(['a', 'b', '__proto__', 'c']);
  });

  it.each(['', '[]', 'null', '1', '{"a":1}x', '\ufeff{}'])('refuses %j', (text) => {
    expect(() => parseObject(text)).toThrow();
  });
});

describe('reading a summary', () => {
  it('knows a full export that names no type, as DynamoDB writes it', async () => {
    const { store, summaryUri } = await buildExport();
    expect(await readSummary(store, summaryUri)).toEqual({
      type: 'FULL_EXPORT',
      exportArn: `${tableArn}/export/${exportId}`,
      tableArn,
      tableName: 'ProductCatalog',
      tableId: '12345a12-abcd-123a-ab12-1234abc12345',
      itemCount: 2,
      billedSizeBytes: 20901239349,
      s3Bucket: 'ddb-productcatalog-export',
      s3Prefix: null,
      manifestFilesS3Key: `AWSDynamoDB/${exportId}/manifest-files.json`,
      manifestMd5: Buffer.from(md5Of(await store.read(summaryUri)), 'base64').toString('hex'),
      summaryUri,
      exportTimeMs: 1768385930622,
    });
  });

  it('knows an incremental export, its window and its view', async () => {
    const { store, summaryUri } = await buildExport({ kind: 'incremental' });
    expect(await readSummary(store, summaryUri)).toMatchObject({
      type: 'INCREMENTAL_EXPORT',
      window: { fromMs: 1695056400000, toMs: 1695096000000 },
      view: 'NEW_AND_OLD_IMAGES',
    });
  });

  it.each([
    ['NEW_IMAGE', 'NEW_IMAGE'],
    ['NEW_IMAGES', 'NEW_IMAGE'],
    ['NEW_AND_OLD_IMAGES', 'NEW_AND_OLD_IMAGES'],
  ])('reads the view %s as %s', async (outputView, view) => {
    const built = await buildExport({ kind: 'incremental', summary: { outputView } });
    expect(await readSummary(built.store, built.summaryUri)).toMatchObject({ view });
  });

  it('takes fields it does not know, the other checksum name, and white space around the checksum', async () => {
    const built = await buildExport({
      summary: { exportType: 'FULL_EXPORT', somethingNew: { a: [1] }, filterSpecification: null },
      checksumName: 'checksum',
      checksumText: (text) => ` ${text}\r\n`,
    });
    expect((await readSummary(built.store, built.summaryUri)).type).toBe('FULL_EXPORT');
  });

  it('refuses another sum, and none', async () => {
    expect(await summaryCode({ checksumText: () => 'sQMSpEILNgoQmarvDFonGQ==' })).toBe(
      'REFUSED_CHECKSUM',
    );
    expect(await summaryCode({ checksumText: () => '' })).toBe('REFUSED_CHECKSUM');
    const { store, summaryUri, folder } = await buildExport();
    await store.remove(`${folder}/manifest-summary.md5`);
    expect(await codeOf(readSummary(store, summaryUri))).toBe('REFUSED_CHECKSUM');
  });

  it('refuses every other bit', async () => {
    const { store, summaryUri } = await buildExport();
    const bytes = await store.read(summaryUri);
    for (let bit = 0; bit < bytes.length * 8; bit += 3) {
      const flipped = bytes.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      await store.put(summaryUri, flipped);
      expect(await codeOf(readSummary(store, summaryUri))).toBe('REFUSED_CHECKSUM');
    }
  });

  it('refuses a missing file', async () => {
    expect(await codeOf(readSummary(new MemoryStore(), 'm://b/manifest-summary.json'))).toBe(
      'REFUSED_MANIFEST',
    );
  });

  it.each<[string, ExportOptions, string]>([
    ['Ion', { summary: { outputFormat: 'ION' } }, 'REFUSED_FORMAT'],
    ['a format nobody knows', { summary: { outputFormat: 'CSV' } }, 'REFUSED_FORMAT'],
    ['no format', { summary: { outputFormat: undefined } }, 'REFUSED_MANIFEST'],
    [
      'a filter',
      { summary: { filterSpecification: { filterExpression: 'a > b' } } },
      'REFUSED_FILTERED',
    ],
    ['a projection', { summary: { projectionExpression: 'a, b' } }, 'REFUSED_FILTERED'],
    ['a type nobody knows', { summary: { exportType: 'PARTIAL_EXPORT' } }, 'REFUSED_EXPORT_TYPE'],
    ['text that is cut', { summaryText: (text) => text.slice(0, -1) }, 'REFUSED_MANIFEST'],
    ['an array', { summaryText: (text) => `[${text}]` }, 'REFUSED_MANIFEST'],
    [
      'two values of one name',
      { summaryText: (text) => text.replace('{', '{"itemCount":7,') },
      'REFUSED_MANIFEST',
    ],
    ['no exportTime', { summary: { exportTime: undefined } }, 'REFUSED_MANIFEST'],
    ['a fractional count', { summary: { itemCount: 1.5 } }, 'REFUSED_MANIFEST'],
    ['a negative count', { summary: { itemCount: -1 } }, 'REFUSED_MANIFEST'],
    ['a count as text', { summary: { itemCount: '2' } }, 'REFUSED_MANIFEST'],
    ['a count past 2^53', { summary: { itemCount: 2 ** 53 } }, 'REFUSED_MANIFEST'],
    ['no tableId', { summary: { tableId: null } }, 'REFUSED_MANIFEST'],
    ['the ARN of another table', { summary: { tableArn: `${tableArn}2` } }, 'REFUSED_MANIFEST'],
    [
      'a full export with a window',
      { summary: { exportFromTime: '2023-09-18T17:00:00Z' } },
      'REFUSED_MANIFEST',
    ],
    [
      'a window without a type',
      { kind: 'incremental', summary: { exportType: undefined } },
      'REFUSED_MANIFEST',
    ],
    [
      'a window with an instant',
      { kind: 'incremental', summary: { exportTime: '2023-09-18T17:00:00Z' } },
      'REFUSED_MANIFEST',
    ],
    [
      'an empty window',
      { kind: 'incremental', summary: { exportToTime: '2023-09-18T17:00:00Z' } },
      'REFUSED_MANIFEST',
    ],
    [
      'a window backwards',
      { kind: 'incremental', summary: { exportToTime: '2023-09-18T16:00:00Z' } },
      'REFUSED_MANIFEST',
    ],
    [
      'a window with a fraction',
      { kind: 'incremental', summary: { exportToTime: '2023-09-19T04:00:00.001Z' } },
      'REFUSED_MANIFEST',
    ],
    ['no view', { kind: 'incremental', summary: { outputView: undefined } }, 'REFUSED_MANIFEST'],
  ])('refuses %s', async (_, options, code) => {
    expect(await summaryCode(options)).toBe(code);
  });

  it('takes a filtered export when it is told to', async () => {
    const { store, summaryUri } = await buildExport({ summary: { filterSpecification: { a: 1 } } });
    expect((await readSummary(store, summaryUri, { acceptFiltered: true })).itemCount).toBe(2);
  });
});

describe('reading the file list', () => {
  it.each(['full', 'incremental'] as const)('finds the files of a %s export', async (kind) => {
    const { store, summaryUri, data } = await buildExport({ kind });
    const files = await readAll(store, summaryUri);
    expect(files.map((file) => file.uri)).toEqual(data.map((file) => file.uri));
    expect(files.map((file) => file.itemCount)).toEqual([0, 1, 1]);
    expect(files[1]!.md5).toBe(md5Of(await store.read(data[1]!.uri)));
  });

  it('takes blank lines, and an export of no files', async () => {
    const blank = await buildExport({
      filesText: (text) => `\n${text.replace('\n', '\r\n\n  \n')}\n`,
    });
    expect(await readAll(blank.store, blank.summaryUri)).toHaveLength(3);
    const empty = await buildExport({ files: [] });
    expect(await readAll(empty.store, empty.summaryUri)).toEqual([]);
  });

  it.each(['full', 'incremental'] as const)(
    'finds the files of a %s export with its prefix, without, moved, or copied bare',
    async (kind) => {
      const prefix = 'some/prefix/';
      const places: ExportOptions[] = [
        { kind, prefix },
        { kind, prefix, isPrefixOnDisk: false },
        { kind, prefix, at: 'm://other/deep/er' },
        { kind, prefix, isPrefixOnDisk: false, at: 'm://other/deep/er' },
        { kind, prefix, summary: { s3Prefix: prefix } },
        // Keys that begin at AWSDynamoDB although there is a prefix, as some of the guide's examples have them.
        {
          kind,
          prefix,
          summary: { manifestFilesS3Key: `AWSDynamoDB/${exportId}/manifest-files.json` },
          filesText: (text) => text.replaceAll('some/prefix/', ''),
        },
      ];
      for (const place of places) {
        const { store, summaryUri, data } = await buildExport(place);
        const files = await readAll(store, summaryUri);
        expect(files.map((file) => file.uri)).toEqual(data.map((file) => file.uri));
      }
    },
  );

  it('finds a full export whose folder was renamed and stands alone', async () => {
    const { store, folder } = await buildExport({ prefix: 'p/' });
    const copied = new MemoryStore();
    for await (const { uri } of store.list(folder)) {
      await copied.put(uri.replace(folder, 'm://x/friday'), await store.read(uri));
    }
    const files = await readAll(copied, 'm://x/friday/manifest-summary.json');
    expect(files.map((file) => file.uri.replace(/[^/]*$/, ''))).toEqual(
      Array(3).fill('m://x/friday/data/'),
    );
  });

  it('refuses a data file that is gone', async () => {
    const { store, summaryUri, data } = await buildExport();
    await store.remove(data[2]!.uri);
    expect(await codeOf(readAll(store, summaryUri))).toBe('REFUSED_INPUT_GONE');
  });

  it('refuses a file list that is gone', async () => {
    const { store, summaryUri, folder } = await buildExport();
    await store.remove(`${folder}/manifest-files.json`);
    expect(await codeOf(readAll(store, summaryUri))).toBe('REFUSED_MANIFEST');
  });

  it('refuses a file list cut at any byte, with or without a new checksum', async () => {
    const { store, summaryUri, folder } = await buildExport();
    const uri = `${folder}/manifest-files.json`;
    const bytes = await store.read(uri);
    const sum = await store.read(`${folder}/manifest-files.md5`);
    // One byte less is the last line end: the same list.
    for (let length = 0; length < bytes.length - 1; length++) {
      const cut = bytes.subarray(0, length);
      await store.put(uri, cut);
      expect(await codeOf(readAll(store, summaryUri))).toBe('REFUSED_CHECKSUM');
      await store.put(`${folder}/manifest-files.md5`, bytesOf(md5Of(cut)));
      expect(await codeOf(readAll(store, summaryUri))).toMatch(/^REFUSED_(COUNT|MANIFEST)$/);
      await store.put(`${folder}/manifest-files.md5`, sum);
    }
  });

  const firstKey = `AWSDynamoDB/${exportId}/data/sgad6417s6vss4p7owp0471bc0.json.gz`;
  const withKey = (key: string): ExportOptions => ({
    filesText: (text) => text.replace(JSON.stringify(firstKey), JSON.stringify(key)),
  });

  it.each([
    '../../etc/passwd',
    '../AWSDynamoDB/data/x.json.gz',
    `AWSDynamoDB/${exportId}/data/../data/x.json.gz`,
    `AWSDynamoDB/${exportId}/data/..%2f..%2fx.json.gz`,
    `AWSDynamoDB/${exportId}/data/a/b.json.gz`,
    `AWSDynamoDB/${exportId}/data/a\\b.json.gz`,
    `AWSDynamoDB/${exportId}/data/a\n.json.gz`,
    `AWSDynamoDB/${exportId}/data/.json.gz/..`,
    `AWSDynamoDB/${exportId}/data/x.ion.gz`,
    `AWSDynamoDB/${exportId}/data/`,
    `AWSDynamoDB/${exportId}/manifest-summary.json`,
    'AWSDynamoDB/01693685827463-ffffffff/data/x.json.gz',
    'AWSDynamoDB/data/x.json.gz',
    `/${firstKey}`,
    `s3://other/${firstKey}`,
    `file:///${firstKey}`,
    `other/prefix/${firstKey}`,
    '',
  ])('refuses the key %j', async (key) => {
    expect(await filesCode(withKey(key))).toBe('REFUSED_FOREIGN_PATH');
  });

  it("refuses an incremental export that names a full export's folder", async () => {
    const code = await filesCode({
      kind: 'incremental',
      filesText: (text) => text.replace('AWSDynamoDB/data', `AWSDynamoDB/${exportId}/data`),
    });
    expect(code).toBe('REFUSED_FOREIGN_PATH');
  });

  it.each([
    '../..',
    'a/../../b',
    '..',
    'a/./b',
    'a\\..',
    '%2e%2e/x',
    'a%2Fb',
    's3://x',
    'a\u0000b',
  ])('refuses the prefix %j', async (s3Prefix) => {
    expect(await filesCode({ summary: { s3Prefix } })).toBe('REFUSED_FOREIGN_PATH');
  });

  it.each([
    '../manifest-files.json',
    '/etc/manifest-files.json',
    'AWSDynamoDB/01693685827463-ffffffff/manifest-files.json',
    'manifest-files.json',
  ])('refuses the manifestFilesS3Key %j', async (manifestFilesS3Key) => {
    expect(await filesCode({ summary: { manifestFilesS3Key } })).toBe('REFUSED_FOREIGN_PATH');
  });

  const firstLine = (text: string): string => text.slice(0, text.indexOf('\n'));
  it.each<[string, (text: string) => string, string]>([
    ['a file twice', (text) => `${text}${firstLine(text)}\n`, 'REFUSED_MANIFEST'],
    ['a count too high', (text) => text.replace('"itemCount":1', '"itemCount":2'), 'REFUSED_COUNT'],
    ['a file less', (text) => text.split('\n').slice(2).join('\n'), 'REFUSED_COUNT'],
    [
      'a negative count',
      (text) => text.replace('"itemCount":1', '"itemCount":-1'),
      'REFUSED_MANIFEST',
    ],
    [
      'a count as text',
      (text) => text.replace('"itemCount":1', '"itemCount":"1"'),
      'REFUSED_MANIFEST',
    ],
    [
      'a short MD5',
      (text) => text.replace(/"md5Checksum":"..../, '"md5Checksum":"'),
      'REFUSED_MANIFEST',
    ],
    [
      'an MD5 in hex',
      (text) => text.replace(/"md5Checksum":"[^"]+"/, `"md5Checksum":"${'0f'.repeat(16)}"`),
      'REFUSED_MANIFEST',
    ],
    ['no MD5', (text) => text.replace('md5Checksum', 'md5'), 'REFUSED_MANIFEST'],
    ['no key', (text) => text.replace('dataFileS3Key', 'key'), 'REFUSED_MANIFEST'],
    ['one name twice', (text) => text.replace('{', '{"itemCount":0,'), 'REFUSED_MANIFEST'],
    ['no JSON', (text) => `${text}x\n`, 'REFUSED_MANIFEST'],
    ['two objects in a line', (text) => text.replace('\n', ''), 'REFUSED_MANIFEST'],
    ['an array', (text) => `${text}[]\n`, 'REFUSED_MANIFEST'],
  ])('refuses a list with %s', async (_, filesText, code) => {
    expect(await filesCode({ filesText })).toBe(code);
  });
});

describe('finding exports', () => {
  it('takes the summary, its folder, and folders above', async () => {
    const { store, summaryUri, folder } = await buildExport({ prefix: 'a/b/' });
    const places = [
      summaryUri,
      folder,
      `${folder}/`,
      'm://bucket/a/b/AWSDynamoDB',
      'm://bucket/a/b',
      'm://bucket/a/',
      'm://bucket',
    ];
    for (const place of places) expect(await findExports(store, place)).toEqual([summaryUri]);
  });

  it('finds all below a folder, sorted, and never looks into data', async () => {
    const store = new MemoryStore();
    const at = (folder: string): string => `m://b/${folder}/manifest-summary.json`;
    const found = [
      'x/AWSDynamoDB/2',
      'AWSDynamoDB/1',
      'AWSDynamoDB/3',
      'y/z/AWSDynamoDB/1',
      // A full export that the scheduled job asked for, below a prefix of three folders.
      'team/lake/raw/orders/6f0c-id/full/20261120T090000Z/AWSDynamoDB/1',
    ];
    const hidden = [
      'AWSDynamoDB/data',
      'x/data/AWSDynamoDB/9',
      '1/2/3/4/5/6/7/8/9/10/11/AWSDynamoDB/1',
      '.git/x',
    ];
    for (const folder of [...found, ...hidden]) await store.put(at(folder), bytesOf('{}'));
    expect(await findExports(store, 'm://b')).toEqual(found.map(at).sort());
  });

  it('refuses where there is none, and says when one is unfinished', async () => {
    const { store, folder, summaryUri } = await buildExport();
    expect(await codeOf(findExports(store, 'm://nowhere'))).toBe('REFUSED_MANIFEST');
    await store.remove(summaryUri);
    for (const place of [folder, 'm://bucket', summaryUri]) {
      expect(await codeOf(findExports(store, place))).toBe('REFUSED_MANIFEST');
    }
    await expect(findExports(store, folder)).rejects.toThrow('not finished');
  });
});
