// Multipart uploads of the simulated S3, asked by the real SDK.
import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  DeleteBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { rejection, runningS3, someBytes } from './running.js';

const s3 = runningS3();
const mib = 1024 * 1024;
const large = someBytes(5 * mib);
const small = someBytes(1000);
const digest = (algorithm: string, bytes: Uint8Array): Buffer =>
  createHash(algorithm).update(bytes).digest();

interface Begun {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string;
}

async function begin(more: Partial<CreateMultipartUploadCommandInput> = {}): Promise<Begun> {
  const Bucket = more.Bucket ?? (await s3.makeBucket());
  const create = new CreateMultipartUploadCommand({ Bucket, Key: 'x', ...more });
  const { UploadId, Key } = await s3.client.send(create);
  return { Bucket, Key: Key!, UploadId: UploadId! };
}

async function part(upload: Begun, PartNumber: number, Body: Uint8Array): Promise<CompletedPart> {
  const sent = await s3.client.send(new UploadPartCommand({ ...upload, PartNumber, Body }));
  const { ETag, ChecksumCRC32, ChecksumSHA256 } = sent;
  return {
    PartNumber,
    ...(ETag && { ETag }),
    ...(ChecksumCRC32 && { ChecksumCRC32 }),
    ...(ChecksumSHA256 && { ChecksumSHA256 }),
  };
}

const complete = (upload: Begun, Parts: CompletedPart[], more: object = {}) =>
  s3.client.send(
    new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts }, ...more }),
  );

async function bytesOf({ Bucket, Key }: Begun): Promise<Buffer> {
  const got = await s3.client.send(new GetObjectCommand({ Bucket, Key }));
  return Buffer.from(await got.Body!.transformToByteArray());
}

describe('a multipart upload', () => {
  it('becomes an object when it is completed, and is none before', async () => {
    const upload = await begin({ ContentType: 'text/x', Metadata: { a: '1' } });
    const { Bucket, Key } = upload;
    // Out of order, and one of them twice.
    const second = await part(upload, 7, small);
    await part(upload, 2, small);
    const first = await part(upload, 2, large);
    const before = await s3.client.send(new ListObjectsV2Command({ Bucket }));
    expect(before.KeyCount).toBe(0);
    const done = await complete(upload, [first, second]);
    // ETag of a multipart object: the MD5 of the parts' MD5s, and their number.
    const md5s = Buffer.concat([digest('md5', large), digest('md5', small)]);
    const etag = `"${digest('md5', md5s).toString('hex')}-2"`;
    expect(done).toMatchObject({ Bucket, Key, ETag: etag });
    expect((await bytesOf(upload)).equals(Buffer.concat([large, small]))).toBe(true);
    const head = await s3.client.send(new HeadObjectCommand({ Bucket, Key }));
    expect(head).toMatchObject({ ETag: etag, ContentType: 'text/x', Metadata: { a: '1' } });
    expect(head.ContentLength).toBe(5 * mib + 1000);
    const over = s3.client.send(new ListPartsCommand(upload));
    expect((await rejection(over)).name).toBe('NoSuchUpload');
    expect((await rejection(complete(upload, [first]))).name).toBe('NoSuchUpload');
  });

  it('is read by ranges across its parts', async () => {
    const upload = await begin();
    await complete(upload, [await part(upload, 1, large), await part(upload, 2, small)]);
    const { Bucket, Key } = upload;
    const Range = `bytes=${5 * mib - 3}-${5 * mib + 2}`;
    const got = await s3.client.send(new GetObjectCommand({ Bucket, Key, Range }));
    const expected = Buffer.concat([large.subarray(-3), small.subarray(0, 3)]);
    expect(Buffer.from(await got.Body!.transformToByteArray()).equals(expected)).toBe(true);
  });

  it('is read part by part', async () => {
    const upload = await begin();
    await complete(upload, [await part(upload, 3, large), await part(upload, 5, small)]);
    const { Bucket, Key } = upload;
    const read = async (PartNumber: number, more: object = {}) => {
      const get = new GetObjectCommand({ Bucket, Key, PartNumber, ...more });
      const { Body, ...got } = await s3.client.send(get);
      return { got, bytes: Buffer.from(await Body!.transformToByteArray()) };
    };
    const first = await read(1);
    expect(first.got).toMatchObject({ PartsCount: 2, ContentRange: 'bytes 0-5242879/5243880' });
    expect(first.bytes.equals(large)).toBe(true);
    const second = await read(2);
    expect(second.got.ContentRange).toBe('bytes 5242880-5243879/5243880');
    expect(second.bytes.equals(small)).toBe(true);
    expect(await rejection(read(3))).toMatchObject({
      name: 'InvalidPartNumber',
      $metadata: { httpStatusCode: 416 },
    });
    expect((await rejection(read(1, { Range: 'bytes=0-1' }))).name).toBe('InvalidRequest');
    const head = new HeadObjectCommand({ Bucket, Key, PartNumber: 2 });
    expect(await s3.client.send(head)).toMatchObject({ PartsCount: 2, ContentLength: 1000 });
    await s3.client.send(new PutObjectCommand({ Bucket, Key: 'y', Body: small }));
    const whole = new HeadObjectCommand({ Bucket, Key: 'y', PartNumber: 1 });
    const { PartsCount, ContentLength } = await s3.client.send(whole);
    expect({ PartsCount, ContentLength }).toEqual({ PartsCount: undefined, ContentLength: 1000 });
  });

  it('keeps a checksum of the parts’ checksums', async () => {
    const upload = await begin({ ChecksumAlgorithm: 'SHA256' });
    const parts = [
      await s3.client.send(
        new UploadPartCommand({
          ...upload,
          PartNumber: 1,
          Body: large,
          ChecksumAlgorithm: 'SHA256',
        }),
      ),
      await s3.client.send(
        new UploadPartCommand({
          ...upload,
          PartNumber: 2,
          Body: small,
          ChecksumAlgorithm: 'SHA256',
        }),
      ),
    ];
    const listed = parts.map(({ ETag, ChecksumSHA256 }, i) => ({
      PartNumber: i + 1,
      ETag: ETag!,
      ChecksumSHA256: ChecksumSHA256!,
    }));
    const sums = Buffer.concat([digest('sha256', large), digest('sha256', small)]);
    const expected = `${digest('sha256', sums).toString('base64')}-2`;
    expect(await complete(upload, listed)).toMatchObject({
      ChecksumSHA256: expected,
      ChecksumType: 'COMPOSITE',
    });
    const { Bucket, Key } = upload;
    const head = new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' });
    expect((await s3.client.send(head)).ChecksumSHA256).toBe(expected);
  });

  it('keeps a checksum of the whole object when asked to', async () => {
    const upload = await begin({ ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' });
    const { ChecksumCRC32, ChecksumType } = await complete(upload, [
      await part(upload, 1, large),
      await part(upload, 2, small),
    ]);
    const { Bucket } = upload;
    const Body = Buffer.concat([large, small]);
    const whole = await s3.client.send(new PutObjectCommand({ Bucket, Key: 'y', Body }));
    expect({ ChecksumCRC32, ChecksumType }).toEqual({
      ChecksumCRC32: whole.ChecksumCRC32,
      ChecksumType: 'FULL_OBJECT',
    });
  });

  it('refuses a part without the checksum the upload was begun with', async () => {
    const upload = await begin({ ChecksumAlgorithm: 'SHA1' });
    const without = s3.client.send(
      new UploadPartCommand({ ...upload, PartNumber: 1, Body: small }),
    );
    expect(await rejection(without)).toMatchObject({
      name: 'InvalidRequest',
      message:
        'Checksum Type mismatch occurred, expected checksum Type: sha1, actual checksum Type: crc32',
    });
  });

  it('is refused with the name of what is wrong, and may be completed still', async () => {
    const upload = await begin();
    const one = await part(upload, 1, small);
    const two = await part(upload, 2, large);
    const other = { ...one, ETag: `"${'0'.repeat(32)}"` };
    expect((await rejection(complete(upload, [two, one]))).name).toBe('InvalidPartOrder');
    expect((await rejection(complete(upload, [one, one]))).name).toBe('InvalidPartOrder');
    expect((await rejection(complete(upload, [one, { ...two, PartNumber: 3 }]))).name).toBe(
      'InvalidPart',
    );
    expect((await rejection(complete(upload, [other]))).name).toBe('InvalidPart');
    expect((await rejection(complete(upload, [one, two]))).name).toBe('EntityTooSmall');
    expect((await rejection(complete(upload, []))).name).toBe('MalformedXML');
    expect((await rejection(complete(upload, [two], { MpuObjectSize: 1 }))).name).toBe(
      'InvalidRequest',
    );
    await complete(upload, [two], { MpuObjectSize: large.length });
    expect((await bytesOf(upload)).equals(large)).toBe(true);
  });

  it('has parts 1 to 10000', async () => {
    const upload = await begin();
    expect((await rejection(part(upload, 0, small))).name).toBe('InvalidArgument');
    expect((await rejection(part(upload, 10_001, small))).name).toBe('InvalidArgument');
    await part(upload, 10_000, small);
  });

  it('is completed under a condition, by exactly one of several', async () => {
    const Bucket = await s3.makeBucket();
    const uploads = await Promise.all(
      Array.from({ length: 4 }, async (_, i) => {
        const upload = await begin({ Bucket });
        return { upload, parts: [await part(upload, 1, someBytes(100 + i))] };
      }),
    );
    const outcomes = await Promise.all(
      uploads.map(({ upload, parts }) =>
        complete(upload, parts, { IfNoneMatch: '*' }).then(
          () => 'completed',
          (error: Error) => error.name,
        ),
      ),
    );
    const winner = outcomes.indexOf('completed');
    expect(outcomes.filter((_, i) => i !== winner)).toEqual(Array(3).fill('PreconditionFailed'));
    expect((await bytesOf(uploads[winner]!.upload)).length).toBe(100 + winner);
    const { upload, parts } = uploads[(winner + 1) % 4]!;
    const wrong = complete(upload, parts, { IfMatch: '"other"' });
    expect((await rejection(wrong)).name).toBe('PreconditionFailed');
    const { ETag } = await s3.client.send(new HeadObjectCommand({ Bucket, Key: 'x' }));
    await complete(upload, parts, { IfMatch: ETag });
    expect((await bytesOf(upload)).length).toBe(100 + ((winner + 1) % 4));
  });

  it('is gone after an abort', async () => {
    const upload = await begin();
    const one = await part(upload, 1, small);
    await s3.client.send(new AbortMultipartUploadCommand(upload));
    expect((await rejection(complete(upload, [one]))).name).toBe('NoSuchUpload');
    expect((await rejection(part(upload, 2, small))).name).toBe('NoSuchUpload');
    const again = s3.client.send(new AbortMultipartUploadCommand(upload));
    expect((await rejection(again)).name).toBe('NoSuchUpload');
  });
});

describe('UploadPartCopy', () => {
  it('takes bytes of another object, all or a range', async () => {
    const upload = await begin();
    const { Bucket } = upload;
    await s3.client.send(new PutObjectCommand({ Bucket, Key: 'source', Body: large }));
    const copy = async (PartNumber: number, CopySourceRange?: string) => {
      const command = new UploadPartCopyCommand({
        ...upload,
        PartNumber,
        CopySource: `${Bucket}/source`,
        ...(CopySourceRange && { CopySourceRange }),
      });
      const { CopyPartResult } = await s3.client.send(command);
      return { PartNumber, ETag: CopyPartResult!.ETag! };
    };
    await complete(upload, [await copy(1), await copy(2, 'bytes=10-19')]);
    const expected = Buffer.concat([large, large.subarray(10, 20)]);
    expect((await bytesOf(upload)).equals(expected)).toBe(true);
  });
});

describe('lists of uploads and parts', () => {
  it('come in pages', async () => {
    const upload = await begin();
    for (const number of [3, 1, 2]) await part(upload, number, someBytes(number));
    const first = await s3.client.send(new ListPartsCommand({ ...upload, MaxParts: 2 }));
    expect(first).toMatchObject({ IsTruncated: true, NextPartNumberMarker: '2' });
    expect(first.Parts?.map((each) => [each.PartNumber, each.Size])).toEqual([
      [1, 1],
      [2, 2],
    ]);
    const PartNumberMarker = first.NextPartNumberMarker!;
    const second = await s3.client.send(new ListPartsCommand({ ...upload, PartNumberMarker }));
    expect(second.Parts?.map((each) => each.PartNumber)).toEqual([3]);
    expect(second.IsTruncated).toBe(false);

    const { Bucket } = upload;
    await begin({ Bucket, Key: 'w' });
    await begin({ Bucket, Key: 'y/1' });
    const list = (more: object) =>
      s3.client.send(new ListMultipartUploadsCommand({ Bucket, ...more }));
    const two = await list({ MaxUploads: 2 });
    expect(two.Uploads?.map((each) => each.Key)).toEqual(['w', 'x']);
    expect(two.IsTruncated).toBe(true);
    const rest = await list({
      KeyMarker: two.NextKeyMarker,
      UploadIdMarker: two.NextUploadIdMarker,
    });
    expect(rest.Uploads?.map((each) => each.Key)).toEqual(['y/1']);
    expect((await list({ Prefix: 'y' })).Uploads?.map((each) => each.Key)).toEqual(['y/1']);
  });

  it('do not keep a bucket from being deleted', async () => {
    const upload = await begin();
    await part(upload, 1, small);
    await s3.client.send(new DeleteBucketCommand({ Bucket: upload.Bucket }));
    expect((await rejection(part(upload, 2, small))).name).toBe('NoSuchBucket');
  });
});
