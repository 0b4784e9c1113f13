// Buckets and lists of the simulated S3, asked by the real SDK.
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  GetBucketLocationCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { rejection, runningS3 } from './running.js';

const s3 = runningS3();

async function bucketOf(keys: readonly string[]): Promise<string> {
  const Bucket = await s3.makeBucket();
  for (const Key of keys) await s3.client.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
  return Bucket;
}

interface Page {
  readonly keys: readonly string[];
  readonly prefixes: readonly string[];
}

async function pages(input: ListObjectsV2CommandInput): Promise<readonly Page[]> {
  const found: Page[] = [];
  let token: string | undefined;
  do {
    const page = await s3.client.send(
      new ListObjectsV2Command({ ...input, ...(token && { ContinuationToken: token }) }),
    );
    const keys = page.Contents?.map((each) => each.Key!) ?? [];
    const prefixes = page.CommonPrefixes?.map((each) => each.Prefix!) ?? [];
    expect(page.KeyCount).toBe(keys.length + prefixes.length);
    expect(page.IsTruncated).toBe(page.NextContinuationToken !== undefined);
    found.push({ keys, prefixes });
    token = page.NextContinuationToken;
  } while (token !== undefined);
  return found;
}

describe('buckets', () => {
  it('are made, found, told the region of, and deleted when empty', async () => {
    const Bucket = 'made-here.once';
    await s3.client.send(new CreateBucketCommand({ Bucket }));
    const head = await s3.client.send(new HeadBucketCommand({ Bucket }));
    expect(head.BucketRegion).toBe('eu-west-1');
    const location = await s3.client.send(new GetBucketLocationCommand({ Bucket }));
    expect(location.LocationConstraint).toBe('eu-west-1');
    const all = await s3.client.send(new ListBucketsCommand({}));
    expect(all.Buckets?.map((each) => each.Name)).toContain(Bucket);
    await s3.client.send(new PutObjectCommand({ Bucket, Key: 'x', Body: 'x' }));
    const full = s3.client.send(new DeleteBucketCommand({ Bucket }));
    expect(await rejection(full)).toMatchObject({
      name: 'BucketNotEmpty',
      $metadata: { httpStatusCode: 409 },
    });
    const other = await s3.makeBucket();
    await s3.client.send(new DeleteBucketCommand({ Bucket: other }));
    const gone = s3.client.send(new HeadBucketCommand({ Bucket: other }));
    expect((await rejection(gone)).$metadata?.httpStatusCode).toBe(404);
  });

  it('are made once, under a name S3 takes', async () => {
    const Bucket = await s3.makeBucket();
    const twice = s3.client.send(new CreateBucketCommand({ Bucket }));
    expect((await rejection(twice)).name).toBe('BucketAlreadyOwnedByYou');
    for (const bad of ['Upper', 'ab', '-x-', '10.0.0.1', 'a..b', 'under_score']) {
      const made = s3.client.send(new CreateBucketCommand({ Bucket: bad }));
      expect((await rejection(made)).name).toBe('InvalidBucketName');
    }
  });
});

describe('ListObjectsV2', () => {
  it('gives keys in the order of their UTF-8 bytes', async () => {
    // U+10000 is a surrogate pair, below U+E000 as UTF-16 and above U+FFFD as UTF-8.
    const keys = ['b', 'a/b', 'a', 'a b', 'Z', '\u{10000}', '\uFFFD', 'é', 'a-'];
    const Bucket = await bucketOf(keys);
    const inBytes = [...keys].sort((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)));
    expect(await pages({ Bucket })).toEqual([{ keys: inBytes, prefixes: [] }]);
  });

  it('keeps to a prefix, and begins behind start-after', async () => {
    const Bucket = await bucketOf(['a', 'b/1', 'b/2', 'b0', 'c']);
    expect(await pages({ Bucket, Prefix: 'b' })).toEqual([
      { keys: ['b/1', 'b/2', 'b0'], prefixes: [] },
    ]);
    expect(await pages({ Bucket, Prefix: 'b', StartAfter: 'b/1' })).toEqual([
      { keys: ['b/2', 'b0'], prefixes: [] },
    ]);
    expect(await pages({ Bucket, StartAfter: 'b9' })).toEqual([{ keys: ['c'], prefixes: [] }]);
    expect(await pages({ Bucket, Prefix: 'd' })).toEqual([{ keys: [], prefixes: [] }]);
  });

  it('folds keys up to the delimiter', async () => {
    const Bucket = await bucketOf(['a', 'f/1', 'f/2', 'f/g/3', 'h/i', 'z']);
    expect(await pages({ Bucket, Delimiter: '/' })).toEqual([
      { keys: ['a', 'z'], prefixes: ['f/', 'h/'] },
    ]);
    expect(await pages({ Bucket, Delimiter: '/', Prefix: 'f/' })).toEqual([
      { keys: ['f/1', 'f/2'], prefixes: ['f/g/'] },
    ]);
  });

  it.each([1, 2, 3, 4])('says all once in pages of %i', async (MaxKeys) => {
    const keys = ['a', 'f/1', 'f/2', 'f/g/3', 'f0', 'h/i', 'h/j', 'h/k', 'z'];
    const Bucket = await bucketOf(keys);
    const plain = await pages({ Bucket, MaxKeys });
    expect(plain.flatMap((page) => page.keys)).toEqual(keys);
    expect(plain).toHaveLength(Math.ceil(keys.length / MaxKeys));
    const folded = await pages({ Bucket, MaxKeys, Delimiter: '/' });
    expect(folded.flatMap((page) => page.keys)).toEqual(['a', 'f0', 'z']);
    expect(folded.flatMap((page) => page.prefixes)).toEqual(['f/', 'h/']);
    expect(folded).toHaveLength(Math.ceil(5 / MaxKeys));
  });

  it('goes on where it was when keys come and go between pages', async () => {
    const Bucket = await bucketOf(['a', 'c', 'e']);
    const first = await s3.client.send(new ListObjectsV2Command({ Bucket, MaxKeys: 2 }));
    await s3.client.send(new PutObjectCommand({ Bucket, Key: 'b', Body: 'x' }));
    await s3.client.send(new PutObjectCommand({ Bucket, Key: 'd', Body: 'x' }));
    const ContinuationToken = first.NextContinuationToken!;
    const second = await s3.client.send(new ListObjectsV2Command({ Bucket, ContinuationToken }));
    expect(second.Contents?.map((each) => each.Key)).toEqual(['d', 'e']);
  });

  it('has at most 1000 keys a page, and none when none is asked for', async () => {
    const Bucket = await bucketOf(['a']);
    const many = await s3.client.send(new ListObjectsV2Command({ Bucket, MaxKeys: 5000 }));
    expect(many).toMatchObject({ KeyCount: 1, MaxKeys: 1000 });
    const none = await s3.client.send(new ListObjectsV2Command({ Bucket, MaxKeys: 0 }));
    expect(none).toMatchObject({ KeyCount: 0, IsTruncated: false, MaxKeys: 0 });
  });

  it('encodes keys when asked to', async () => {
    const Bucket = await bucketOf(['a b/é+(1)']);
    const page = await s3.client.send(new ListObjectsV2Command({ Bucket, EncodingType: 'url' }));
    expect(page.Contents?.[0]?.Key).toBe('a+b/%C3%A9%2B%281%29');
    expect(page.EncodingType).toBe('url');
  });

  it('tells size, ETag and time of each object', async () => {
    const Bucket = await bucketOf(['x']);
    const page = await s3.client.send(new ListObjectsV2Command({ Bucket, FetchOwner: true }));
    expect(page.Contents).toEqual([
      {
        Key: 'x',
        Size: 1,
        // printf x | md5sum
        ETag: '"9dd4e461268c8034f5c8564e155c67a6"',
        LastModified: new Date('2026-11-20T12:00:00Z'),
        StorageClass: 'STANDARD',
        Owner: { ID: '123456789012' },
        ChecksumAlgorithm: ['CRC32'],
        ChecksumType: 'FULL_OBJECT',
      },
    ]);
  });
});

describe('ListObjects', () => {
  it('goes on behind a marker', async () => {
    const Bucket = await bucketOf(['a', 'f/1', 'f/2', 'z']);
    const list = (more: object) => s3.client.send(new ListObjectsCommand({ Bucket, ...more }));
    const first = await list({ Delimiter: '/', MaxKeys: 2 });
    expect(first).toMatchObject({ IsTruncated: true, NextMarker: 'f/' });
    const second = await list({ Delimiter: '/', MaxKeys: 2, Marker: first.NextMarker });
    expect(second.Contents?.map((each) => each.Key)).toEqual(['z']);
    expect(second.CommonPrefixes).toBeUndefined();
    const plain = await list({ MaxKeys: 2 });
    // Without a delimiter there is no NextMarker; the last key is the next marker.
    expect(plain).toMatchObject({ IsTruncated: true, Contents: [{ Key: 'a' }, { Key: 'f/1' }] });
    expect(plain.NextMarker).toBeUndefined();
  });
});
