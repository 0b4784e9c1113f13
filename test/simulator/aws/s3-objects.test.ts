// Objects of the simulated S3, asked by the real SDK: what S3's reference says of each action.
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { rejection, runningS3, someBytes } from './running.js';

const s3 = runningS3();
/** No bytes; an empty string would make the SDK warn of a stream. */
const none = new Uint8Array(0);
const md5 = (bytes: Uint8Array | string): string => createHash('md5').update(bytes).digest('hex');

async function text(Bucket: string, Key: string): Promise<string> {
  const { Body } = await s3.client.send(new GetObjectCommand({ Bucket, Key }));
  return await Body!.transformToString();
}

describe('PutObject and GetObject', () => {
  it('give back bytes, headers and metadata as they came', async () => {
    const Bucket = await s3.makeBucket();
    const bytes = someBytes(700_000);
    const put = await s3.client.send(
      new PutObjectCommand({
        Bucket,
        Key: 'a b/ü+&%41/日本.bin',
        Body: bytes,
        ContentType: 'application/x-parquet',
        CacheControl: 'no-store',
        ContentEncoding: 'zstd',
        Metadata: { origin: 'test, with spaces' },
      }),
    );
    expect(put.ETag).toBe(`"${md5(bytes)}"`);
    const got = await s3.client.send(new GetObjectCommand({ Bucket, Key: 'a b/ü+&%41/日本.bin' }));
    expect(Buffer.from(await got.Body!.transformToByteArray()).equals(bytes)).toBe(true);
    expect(got).toMatchObject({
      ContentLength: 700_000,
      ETag: `"${md5(bytes)}"`,
      ContentType: 'application/x-parquet',
      CacheControl: 'no-store',
      ContentEncoding: 'zstd',
      Metadata: { origin: 'test, with spaces' },
      AcceptRanges: 'bytes',
      ServerSideEncryption: 'AES256',
    });
    expect(got.LastModified).toEqual(new Date('2026-11-20T12:00:00Z'));
  });

  it('keep an empty object', async () => {
    const Bucket = await s3.makeBucket();
    await s3.client.send(new PutObjectCommand({ Bucket, Key: 'empty', Body: none }));
    const got = await s3.client.send(new GetObjectCommand({ Bucket, Key: 'empty' }));
    expect(got.ContentLength).toBe(0);
    expect(got.ETag).toBe('"d41d8cd98f00b204e9800998ecf8427e"');
    expect(await got.Body!.transformToString()).toBe('');
  });

  it('take keys that are folders of each other, that differ in case, and that have odd slashes', async () => {
    const Bucket = await s3.makeBucket();
    const keys = [
      'a',
      'a/b',
      'a/',
      'A',
      'a.json',
      'a.json/b',
      '//x',
      'x/../y',
      '.',
      'e'.repeat(1024),
    ];
    for (const Key of keys) await s3.client.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
    for (const key of keys) expect(await text(Bucket, key)).toBe(key);
  });

  it('take a stream of unknown checksum in chunks with a trailer', async () => {
    const Bucket = await s3.makeBucket();
    const bytes = someBytes(300_000);
    await s3.client.send(
      new PutObjectCommand({
        Bucket,
        Key: 'x',
        Body: Readable.from([bytes.subarray(0, 100_000), bytes.subarray(100_000)]),
        ContentLength: bytes.length,
        ChecksumAlgorithm: 'SHA256',
      }),
    );
    const got = await s3.client.send(
      new GetObjectCommand({ Bucket, Key: 'x', ChecksumMode: 'ENABLED' }),
    );
    expect(got.ChecksumSHA256).toBe(createHash('sha256').update(bytes).digest('base64'));
    expect(got.ContentEncoding).toBeUndefined();
    expect(Buffer.from(await got.Body!.transformToByteArray()).equals(bytes)).toBe(true);
  });

  // Check values of "123456789" from the catalogue of CRCs (reveng.sourceforge.io): cbf43926, e3069283, ae8b14860a799888.
  it.each([
    ['CRC32', 'ChecksumCRC32', Buffer.from('cbf43926', 'hex').toString('base64')],
    ['CRC32C', 'ChecksumCRC32C', Buffer.from('e3069283', 'hex').toString('base64')],
    ['CRC64NVME', 'ChecksumCRC64NVME', Buffer.from('ae8b14860a799888', 'hex').toString('base64')],
    ['SHA1', 'ChecksumSHA1', createHash('sha1').update('123456789').digest('base64')],
    ['SHA256', 'ChecksumSHA256', createHash('sha256').update('123456789').digest('base64')],
  ] as const)('verify %s, keep it, and refuse a wrong one', async (algorithm, field, value) => {
    const Bucket = await s3.makeBucket();
    const put = new PutObjectCommand({ Bucket, Key: 'x', Body: '123456789', [field]: value });
    expect((await s3.client.send(put))[field]).toBe(value);
    const got = await s3.client.send(
      new GetObjectCommand({ Bucket, Key: 'x', ChecksumMode: 'ENABLED' }),
    );
    expect(got[field]).toBe(value);
    expect(got.ChecksumType).toBe('FULL_OBJECT');
    await got.Body!.transformToString();
    const wrong = new PutObjectCommand({ Bucket, Key: 'y', Body: '12345678', [field]: value });
    const error = await rejection(s3.client.send(wrong));
    expect(error.name).toBe('BadDigest');
    expect(error.message).toContain(algorithm);
    const head = s3.client.send(new HeadObjectCommand({ Bucket, Key: 'y' }));
    expect((await rejection(head)).name).toBe('NotFound');
  });

  it('refuse bytes that are not those of Content-MD5', async () => {
    const Bucket = await s3.makeBucket();
    const ContentMD5 = Buffer.from(md5('right'), 'hex').toString('base64');
    await s3.client.send(new PutObjectCommand({ Bucket, Key: 'x', Body: 'right', ContentMD5 }));
    const wrong = new PutObjectCommand({ Bucket, Key: 'x', Body: 'wrong', ContentMD5 });
    expect((await rejection(s3.client.send(wrong))).name).toBe('BadDigest');
    const invalid = new PutObjectCommand({ Bucket, Key: 'x', Body: 'right', ContentMD5: 'abc' });
    expect((await rejection(s3.client.send(invalid))).name).toBe('InvalidDigest');
    expect(await text(Bucket, 'x')).toBe('right');
  });

  it('say what is missing: a key, a bucket', async () => {
    const Bucket = await s3.makeBucket();
    const noKey = await rejection(s3.client.send(new GetObjectCommand({ Bucket, Key: 'none' })));
    expect(noKey).toMatchObject({ name: 'NoSuchKey', $metadata: { httpStatusCode: 404 } });
    const noBucket = await rejection(
      s3.client.send(new GetObjectCommand({ Bucket: 'no-such-bucket', Key: 'x' })),
    );
    expect(noBucket.name).toBe('NoSuchBucket');
    const put = new PutObjectCommand({ Bucket: 'no-such-bucket', Key: 'x', Body: 'x' });
    expect((await rejection(s3.client.send(put))).name).toBe('NoSuchBucket');
  });

  it('refuse keys and metadata beyond S3’s limits', async () => {
    const Bucket = await s3.makeBucket();
    const long = new PutObjectCommand({ Bucket, Key: 'k'.repeat(1025), Body: none });
    expect((await rejection(s3.client.send(long))).name).toBe('KeyTooLongError');
    const large = new PutObjectCommand({
      Bucket,
      Key: 'x',
      Body: none,
      Metadata: { m: 'v'.repeat(2048) },
    });
    expect((await rejection(s3.client.send(large))).name).toBe('MetadataTooLarge');
  });
});

describe('ranges', () => {
  it.each([
    ['bytes=0-0', '0', 'bytes 0-0/10'],
    ['bytes=2-4', '234', 'bytes 2-4/10'],
    ['bytes=7-', '789', 'bytes 7-9/10'],
    ['bytes=7-99', '789', 'bytes 7-9/10'],
    ['bytes=-3', '789', 'bytes 7-9/10'],
    ['bytes=-99', '0123456789', 'bytes 0-9/10'],
  ])('%s is %s', async (Range, body, contentRange) => {
    const Bucket = await s3.makeBucket();
    await s3.client.send(new PutObjectCommand({ Bucket, Key: 'x', Body: '0123456789' }));
    const got = await s3.client.send(new GetObjectCommand({ Bucket, Key: 'x', Range }));
    expect(await got.Body!.transformToString()).toBe(body);
    expect(got.ContentRange).toBe(contentRange);
    expect(got.$metadata.httpStatusCode).toBe(206);
  });

  it('that cannot be satisfied are 416', async () => {
    const Bucket = await s3.makeBucket();
    await s3.client.send(new PutObjectCommand({ Bucket, Key: 'x', Body: '0123456789' }));
    await s3.client.send(new PutObjectCommand({ Bucket, Key: 'empty', Body: none }));
    for (const [Key, Range] of [
      ['x', 'bytes=10-'],
      ['x', 'bytes=-0'],
      ['empty', 'bytes=0-'],
    ]) {
      const error = await rejection(s3.client.send(new GetObjectCommand({ Bucket, Key, Range })));
      expect(error).toMatchObject({ name: 'InvalidRange', $metadata: { httpStatusCode: 416 } });
    }
  });

  it('that cannot be read are passed over', async () => {
    const Bucket = await s3.makeBucket();
    await s3.client.send(new PutObjectCommand({ Bucket, Key: 'x', Body: '0123456789' }));
    for (const Range of ['bytes=4-2', 'bytes=0-1,3-4', 'items=0-1']) {
      const got = await s3.client.send(new GetObjectCommand({ Bucket, Key: 'x', Range }));
      expect(got.$metadata.httpStatusCode).toBe(200);
      expect(await got.Body!.transformToString()).toBe('0123456789');
    }
  });
});

describe('conditions', () => {
  it('of reads are 304 and 412', async () => {
    const Bucket = await s3.makeBucket();
    const { ETag } = await s3.client.send(new PutObjectCommand({ Bucket, Key: 'x', Body: 'x' }));
    const status = async (conditions: object): Promise<number> => {
      const get = s3.client.send(new GetObjectCommand({ Bucket, Key: 'x', ...conditions }));
      const outcome = await get.then(
        (got) => got,
        (error: { $metadata: { httpStatusCode: number } }) => error,
      );
      return outcome.$metadata.httpStatusCode!;
    };
    const past = new Date('2026-11-19T12:00:00Z');
    const now = new Date('2026-11-20T12:00:00Z');
    expect(await status({ IfMatch: ETag })).toBe(200);
    expect(await status({ IfMatch: '"other"' })).toBe(412);
    expect(await status({ IfNoneMatch: ETag })).toBe(304);
    expect(await status({ IfNoneMatch: '"other"' })).toBe(200);
    expect(await status({ IfModifiedSince: past })).toBe(200);
    expect(await status({ IfModifiedSince: now })).toBe(304);
    expect(await status({ IfUnmodifiedSince: past })).toBe(412);
    // RFC 9110 section 13.2.2: the ETag decides over the date.
    expect(await status({ IfMatch: ETag, IfUnmodifiedSince: past })).toBe(200);
    expect(await status({ IfNoneMatch: '"other"', IfModifiedSince: now })).toBe(200);
    const gone = s3.client.send(new GetObjectCommand({ Bucket, Key: 'none', IfMatch: ETag }));
    expect((await rejection(gone)).name).toBe('NoSuchKey');
  });

  it('let exactly one of many writers create an object', async () => {
    const Bucket = await s3.makeBucket();
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, async (_, writer) => {
        const put = new PutObjectCommand({
          Bucket,
          Key: 'x',
          Body: `writer ${writer}`,
          IfNoneMatch: '*',
        });
        return await s3.client.send(put).then(
          () => `writer ${writer}`,
          (error: Error) => error.name,
        );
      }),
    );
    const winners = outcomes.filter((outcome) => outcome !== 'PreconditionFailed');
    expect(winners).toHaveLength(1);
    expect(await text(Bucket, 'x')).toBe(winners[0]);
  });

  it('let a writer replace only what it read', async () => {
    const Bucket = await s3.makeBucket();
    const put = (Body: string, IfMatch?: string) =>
      s3.client.send(new PutObjectCommand({ Bucket, Key: 'x', Body, ...(IfMatch && { IfMatch }) }));
    const first = await put('1');
    const second = await put('2', first.ETag);
    expect(await rejection(put('3', first.ETag))).toMatchObject({
      name: 'PreconditionFailed',
      $metadata: { httpStatusCode: 412 },
    });
    expect(await text(Bucket, 'x')).toBe('2');
    await s3.client.send(new DeleteObjectCommand({ Bucket, Key: 'x' }));
    expect((await rejection(put('4', second.ETag))).name).toBe('NoSuchKey');
  });

  it('know no If-None-Match of an ETag on writes', async () => {
    const Bucket = await s3.makeBucket();
    const put = new PutObjectCommand({ Bucket, Key: 'x', Body: none, IfNoneMatch: '"abc"' });
    expect(await rejection(s3.client.send(put))).toMatchObject({
      name: 'NotImplemented',
      $metadata: { httpStatusCode: 501 },
    });
  });
});

describe('an overwritten object', () => {
  it('is read to its end by those who began', async () => {
    const Bucket = await s3.makeBucket();
    const old = someBytes(6_000_000);
    await s3.client.send(new PutObjectCommand({ Bucket, Key: 'x', Body: old }));
    const got = await s3.client.send(new GetObjectCommand({ Bucket, Key: 'x' }));
    await s3.client.send(new PutObjectCommand({ Bucket, Key: 'x', Body: 'new' }));
    await s3.client.send(new DeleteObjectCommand({ Bucket, Key: 'x' }));
    expect(Buffer.from(await got.Body!.transformToByteArray()).equals(old)).toBe(true);
  });
});

describe('CopyObject', () => {
  it('copies bytes and metadata, or takes new metadata', async () => {
    const Bucket = await s3.makeBucket();
    const put = {
      Bucket,
      Key: 'from/ü b',
      Body: 'bytes',
      ContentType: 'text/x',
      Metadata: { a: '1' },
    };
    await s3.client.send(new PutObjectCommand(put));
    const CopySource = `${Bucket}/${encodeURIComponent('from/ü b')}`;
    const copied = await s3.client.send(new CopyObjectCommand({ Bucket, Key: 'to', CopySource }));
    expect(copied.CopyObjectResult?.ETag).toBe(`"${md5('bytes')}"`);
    const head = await s3.client.send(new HeadObjectCommand({ Bucket, Key: 'to' }));
    expect(head).toMatchObject({ ContentType: 'text/x', Metadata: { a: '1' }, ContentLength: 5 });
    const replace = { Bucket, Key: 'to2', CopySource, Metadata: { b: '2' } };
    await s3.client.send(new CopyObjectCommand({ ...replace, MetadataDirective: 'REPLACE' }));
    const head2 = await s3.client.send(new HeadObjectCommand({ Bucket, Key: 'to2' }));
    expect(head2.Metadata).toEqual({ b: '2' });
  });

  it('checks conditions on source and target', async () => {
    const Bucket = await s3.makeBucket();
    const { ETag } = await s3.client.send(new PutObjectCommand({ Bucket, Key: 'x', Body: 'x' }));
    const copy = (more: object) =>
      s3.client.send(
        new CopyObjectCommand({ Bucket, Key: 'y', CopySource: `${Bucket}/x`, ...more }),
      );
    expect((await rejection(copy({ CopySourceIfMatch: '"other"' }))).name).toBe(
      'PreconditionFailed',
    );
    expect((await rejection(copy({ CopySourceIfNoneMatch: ETag }))).name).toBe(
      'PreconditionFailed',
    );
    await copy({ CopySourceIfMatch: ETag, IfNoneMatch: '*' });
    expect((await rejection(copy({ IfNoneMatch: '*' }))).name).toBe('PreconditionFailed');
    expect((await rejection(copy({ CopySource: `${Bucket}/none` }))).name).toBe('NoSuchKey');
    expect((await rejection(copy({ Key: 'x' }))).name).toBe('InvalidRequest');
  });
});

describe('DeleteObject and DeleteObjects', () => {
  it('remove, and do not mind what is not there', async () => {
    const Bucket = await s3.makeBucket();
    for (const Key of ['a', 'b', 'c <&> d']) {
      await s3.client.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
    }
    const one = await s3.client.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
    expect(one.$metadata.httpStatusCode).toBe(204);
    await s3.client.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
    const Objects = [{ Key: 'b' }, { Key: 'c <&> d' }, { Key: 'none' }];
    const all = await s3.client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(all.Deleted?.map((each) => each.Key)).toEqual(['b', 'c <&> d', 'none']);
    expect(all.Errors).toBeUndefined();
    const again = { Bucket, Delete: { Objects, Quiet: true } };
    expect((await s3.client.send(new DeleteObjectsCommand(again))).Deleted).toBeUndefined();
    const get = s3.client.send(new GetObjectCommand({ Bucket, Key: 'b' }));
    expect((await rejection(get)).name).toBe('NoSuchKey');
  });

  it('remove only the object of a given ETag', async () => {
    const Bucket = await s3.makeBucket();
    const { ETag } = await s3.client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'a' }));
    const wrong = new DeleteObjectCommand({ Bucket, Key: 'a', IfMatch: '"other"' });
    expect((await rejection(s3.client.send(wrong))).name).toBe('PreconditionFailed');
    expect(await text(Bucket, 'a')).toBe('a');
    await s3.client.send(new DeleteObjectCommand({ Bucket, Key: 'a', IfMatch: ETag! }));
    expect((await rejection(text(Bucket, 'a'))).name).toBe('NoSuchKey');
  });
});

describe('the expected owner of a bucket', () => {
  it('is 123456789012; any other is denied', async () => {
    const Bucket = await s3.makeBucket();
    const put = (ExpectedBucketOwner: string) =>
      s3.client.send(new PutObjectCommand({ Bucket, Key: 'x', Body: 'x', ExpectedBucketOwner }));
    await put('123456789012');
    expect(await rejection(put('999999999999'))).toMatchObject({
      name: 'AccessDenied',
      $metadata: { httpStatusCode: 403 },
    });
  });
});
