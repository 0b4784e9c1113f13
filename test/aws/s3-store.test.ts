// What the store in S3 does when S3 and the network misbehave, through the real SDK against the simulator's faults.

import { ListMultipartUploadsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { S3Store } from '../../pipeline/aws/s3-store.js';
import { FilesCatalog } from '../../pipeline/lake/files-catalog.js';
import { ObjectNotFoundError, type ObjectStore } from '../../pipeline/ports.js';
import { TidelakeError } from '../../schemas/errors.js';
import { awsTriesMax, requestsAtOnceMax, resumesMax } from '../../schemas/limits.js';
import { account, SimulatedS3 } from './simulated-s3.js';

let s3: SimulatedS3;
beforeAll(async () => {
  s3 = await SimulatedS3.start();
});
afterEach(() => {
  s3.simulator.setFaults([]);
  s3.simulator.clearRequests();
});
afterAll(() => s3.close());

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array): string => new TextDecoder().decode(value);
const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';

async function streamed(store: ObjectStore, uri: string): Promise<string> {
  let all = '';
  for await (const piece of store.stream(uri)) all += text(piece);
  return all;
}

async function failure(work: Promise<unknown>): Promise<TidelakeError> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(TidelakeError);
  return error as TidelakeError;
}

describe('a body', () => {
  const uri = 's3://lake/body';
  beforeAll(() => s3.store().put(uri, bytes(alphabet)));

  it('that breaks off after any number of bytes is read on to its end', async () => {
    const store = s3.store();
    for (let k = 0; k <= alphabet.length; k++) {
      s3.simulator.setFaults([
        { operation: 'GetObject', nth: 1, do: { fault: 'cut', afterBytes: k } },
      ]);
      expect(await streamed(store, uri)).toBe(alphabet);
      s3.simulator.setFaults([
        { operation: 'GetObject', nth: 1, do: { fault: 'cut', afterBytes: k } },
      ]);
      expect(text(await store.read(uri, { start: 5, end: 20 }))).toBe(alphabet.slice(5, 20));
    }
  });

  it('that breaks off again and again is read on for as long as each answer brings something', async () => {
    s3.simulator.setFaults([{ operation: 'GetObject', do: { fault: 'cut', afterBytes: 1 } }]);
    expect(await streamed(s3.store(), uri)).toBe(alphabet);
  });

  it('of which nothing more comes is given up after a bounded number of requests', async () => {
    s3.simulator.setFaults([{ operation: 'GetObject', do: { fault: 'cut', afterBytes: 0 } }]);
    expect((await failure(streamed(s3.store(), uri))).code).toBe('SERVICE_FAILED');
    expect(s3.operations().length).toBeLessThanOrEqual(resumesMax + 1);
  });

  it('that falls silent for ever is asked for again', async () => {
    s3.simulator.setFaults([
      { operation: 'GetObject', to: 3, do: { fault: 'stall', afterBytes: 7 } },
    ]);
    expect(await streamed(s3.store({ bodyIdleMs: 40 }), uri)).toBe(alphabet);
    expect(s3.operations()).toHaveLength(4);
  });

  it('is never mixed of two versions of an object', async () => {
    const changing = 's3://lake/changing';
    const store = s3.store();
    await store.put(changing, bytes(alphabet));
    s3.simulator.setFaults([
      { operation: 'GetObject', nth: 1, do: { fault: 'cut', afterBytes: 10 } },
    ]);
    const reader = store.stream(changing)[Symbol.asyncIterator]();
    expect(text((await reader.next()).value as Uint8Array)).toBe(alphabet.slice(0, 10));
    await store.put(changing, bytes(alphabet.toUpperCase()));
    expect((await failure(reader.next())).code).toBe('REFUSED_INPUT_GONE');
  });

  it('of an object that vanishes meanwhile is refused', async () => {
    const vanishing = 's3://lake/vanishing';
    const store = s3.store();
    await store.put(vanishing, bytes(alphabet));
    s3.simulator.setFaults([
      { operation: 'GetObject', nth: 1, do: { fault: 'cut', afterBytes: 10 } },
    ]);
    const reader = store.stream(vanishing)[Symbol.asyncIterator]();
    await reader.next();
    await store.remove(vanishing);
    expect((await failure(reader.next())).code).toBe('REFUSED_INPUT_GONE');
  });

  it('whose first answer has a wrong ETag is refused when it has to be read on', async () => {
    s3.simulator.setFaults([{ operation: 'GetObject', nth: 1, do: 'wrongEtag' }]);
    expect(await streamed(s3.store(), uri)).toBe(alphabet);
    const client = await s3.client();
    // The two faults at once: the tag is made wrong on its way in.
    client.middlewareStack.add(
      (next) => async (args) => {
        const answer = await next(args);
        (answer.output as { ETag?: string }).ETag &&= '"00000000000000000000000000000000"';
        return answer;
      },
      { step: 'initialize', name: 'wrongTag' },
    );
    try {
      s3.simulator.setFaults([
        { operation: 'GetObject', nth: 1, do: { fault: 'cut', afterBytes: 10 } },
      ]);
      expect((await failure(streamed(s3.store(), uri))).code).toBe('REFUSED_INPUT_GONE');
    } finally {
      client.middlewareStack.remove('wrongTag');
    }
  });
});

describe('a conditional put', () => {
  it('is tried again when another write is under way, and then knows', async () => {
    s3.simulator.setFaults([
      {
        operation: 'PutObject',
        to: 2,
        do: { fault: 'error', code: 'ConditionalRequestConflict', status: 409 },
      },
    ]);
    const uri = 's3://lake/once/a';
    expect(await s3.store().putIfAbsent(uri, bytes('1'))).toBe('created');
    expect(s3.operations()).toEqual(['PutObject', 'PutObject', 'PutObject']);
    expect(await s3.store().putIfAbsent(uri, bytes('2'))).toBe('exists');
  });

  it('whose answers are lost is in doubt, and so is the commit', async () => {
    const catalog = new FilesCatalog(s3.store(), 's3://lake/commits');
    const put = { operation: 'PutObject', key: '*.metadata.json' } as const;
    // Applied, and the SDK's own repetition meets the object: ours by its bytes.
    s3.simulator.setFaults([{ ...put, nth: 1, do: 'loseAnswer' }]);
    expect(await catalog.commit('d', 't', null, bytes('v1'))).toBe('committed');
    const v1 = (await catalog.current('d', 't'))!;
    // Applied, and no later try is answered either: read back.
    s3.simulator.setFaults([
      { ...put, nth: 1, do: 'loseAnswer' },
      { ...put, do: 'refuse' },
    ]);
    expect(await catalog.commit('d', 't', v1, bytes('v2'))).toBe('committed');
    const v2 = (await catalog.current('d', 't'))!;
    // Nothing arrived as far as anybody can see, but it may be on its way.
    s3.simulator.setFaults([{ ...put, do: 'refuse' }]);
    expect(await catalog.commit('d', 't', v2, bytes('v3'))).toBe('unknown');
    // A first try that may have been applied, and a denial after it, is no denial.
    s3.simulator.setFaults([
      { ...put, nth: 1, do: 'refuse' },
      { ...put, do: { fault: 'error', code: 'AccessDenied' } },
    ]);
    expect(await catalog.commit('d', 't', v2, bytes('v3'))).toBe('unknown');
    // Nor when the SDK has used up its tries in between, and a further round of them was begun.
    const slowDown = { fault: 'error', code: 'SlowDown' } as const;
    s3.simulator.setFaults([
      { ...put, nth: 1, do: 'refuse' },
      { ...put, to: awsTriesMax, do: slowDown },
      { ...put, do: { fault: 'error', code: 'AccessDenied' } },
    ]);
    expect(await catalog.commit('d', 't', v2, bytes('v3'))).toBe('unknown');
    // A plain denial is one.
    s3.simulator.setFaults([{ ...put, do: { fault: 'error', code: 'AccessDenied' } }]);
    expect((await failure(catalog.commit('d', 't', v2, bytes('v3')))).code).toBe('DENIED');
    s3.simulator.setFaults([]);
    expect(await catalog.commit('d', 't', v2, bytes('v3'))).toBe('committed');
    expect(await catalog.commit('d', 't', v2, bytes('other'))).toBe('conflict');
  });
});

describe('an upload in parts', () => {
  const size = 17_000_000;
  const body = Uint8Array.from({ length: size }, (_, i) => (i * 7919) >> 8);

  async function upload(store: S3Store, uri: string): Promise<void> {
    const writer = await store.create(uri);
    await writer.write(body.subarray(0, 3_000_000));
    await writer.write(body.subarray(3_000_000));
    await writer.close();
  }

  async function unfinished(): Promise<number> {
    const listed = await (await s3.client()).send(
      new ListMultipartUploadsCommand({ Bucket: 'lake' }),
    );
    return listed.Uploads?.length ?? 0;
  }

  it('has parts of the least size or more, and needs none when it is small', async () => {
    const store = s3.store();
    await upload(store, 's3://lake/large');
    expect(Buffer.compare(await store.read('s3://lake/large'), body)).toBe(0);
    const parts = s3.simulator.requests().filter(({ operation }) => operation === 'UploadPart');
    const sizes = parts.map(({ requestBytes }) => requestBytes).sort((a, b) => b - a);
    expect(sizes).toHaveLength(3);
    // S3 refuses all parts but the last below 5 MiB.
    expect(sizes[1]).toBeGreaterThanOrEqual(5 * 1024 * 1024);
    s3.simulator.clearRequests();
    const writer = await store.create('s3://lake/small');
    await writer.write(bytes('small'));
    await writer.close();
    expect(s3.operations()).toEqual(['PutObject']);
  });

  it('leaves nothing behind when a part fails', async () => {
    s3.simulator.setFaults([
      {
        operation: 'UploadPart',
        from: 2,
        do: { fault: 'error', code: 'AccessDenied' },
      },
    ]);
    const error = await failure(upload(s3.store(), 's3://lake/part-fails'));
    expect(error.code).toBe('DENIED');
    expect(error.what).toContain('s3:PutObject on s3://lake/part-fails');
    s3.simulator.setFaults([]);
    expect(await unfinished()).toBe(0);
  });

  it('leaves nothing behind when it is aborted, or when its completion is denied', async () => {
    const store = s3.store();
    const writer = await store.create('s3://lake/aborted');
    await writer.write(body);
    expect(await unfinished()).toBeGreaterThan(0);
    await writer.abort();
    s3.simulator.setFaults([
      { operation: 'CompleteMultipartUpload', do: { fault: 'error', code: 'AccessDenied' } },
    ]);
    expect((await failure(upload(store, 's3://lake/denied'))).code).toBe('DENIED');
    expect(await store.size('s3://lake/aborted')).toBeNull();
    expect(await store.size('s3://lake/denied')).toBeNull();
    s3.simulator.setFaults([]);
    expect(await unfinished()).toBe(0);
  });

  it('takes an error inside an answer of status 200 for an error', async () => {
    const store = s3.store();
    s3.simulator.setFaults([
      {
        operation: 'CompleteMultipartUpload',
        to: 2,
        do: { fault: 'errorIn200', code: 'InternalError' },
      },
    ]);
    await upload(store, 's3://lake/error-in-200');
    expect(await store.size('s3://lake/error-in-200')).toBe(size);
    s3.simulator.setFaults([
      {
        operation: 'CompleteMultipartUpload',
        do: { fault: 'errorIn200', code: 'InternalError' },
      },
    ]);
    expect((await failure(upload(store, 's3://lake/never'))).code).toBe('SERVICE_FAILED');
    expect(await store.size('s3://lake/never')).toBeNull();
  });

  it('finds its object when the answer of the completion is lost', async () => {
    const store = s3.store();
    // Once: the SDK asks again, for an upload that is no more. For ever: only looking helps.
    for (const to of [1, 1000]) {
      s3.simulator.setFaults([
        { operation: 'CompleteMultipartUpload', nth: 1, do: 'loseAnswer' },
        { operation: 'CompleteMultipartUpload', to, do: 'refuse' },
      ]);
      await upload(store, `s3://lake/lost-${to}`);
      expect(Buffer.compare(await store.read(`s3://lake/lost-${to}`), body)).toBe(0);
    }
  });

  it('does not take an older object of its name for its own', async () => {
    const store = s3.store();
    await upload(store, 's3://lake/older');
    s3.simulator.setFaults([{ operation: 'CompleteMultipartUpload', do: 'refuse' }]);
    expect((await failure(upload(store, 's3://lake/older'))).code).toBe('SERVICE_FAILED');
  });
});

describe('a listing', () => {
  it('is followed to its end over many answers', async () => {
    const store = s3.store();
    const client = await s3.client();
    const names = Array.from({ length: 11 }, (_, i) => `f${i}/a`);
    for (const name of names) await store.put(`s3://lake/pages/${name}`, bytes(name));
    client.middlewareStack.add(
      (next) => (args) => next({ ...args, input: { ...args.input, MaxKeys: 2 } }),
      { step: 'initialize', name: 'smallPages' },
    );
    try {
      s3.simulator.clearRequests();
      const found: string[] = [];
      for await (const { uri } of store.list('s3://lake/pages')) found.push(uri);
      expect(found.sort()).toEqual(names.map((name) => `s3://lake/pages/${name}`).sort());
      expect(await store.children('s3://lake/pages')).toEqual(
        names.map((name) => name.slice(0, -2)).sort(),
      );
      expect(s3.operations()).toHaveLength(12);
    } finally {
      client.middlewareStack.remove('smallPages');
    }
  });

  it('leaves out the empty objects that stand for folders, and takes any other key as it is', async () => {
    const client = await s3.client();
    const keys = [
      'marked/',
      'marked/g/',
      'marked/a&<b>',
      'marked/c\u0001d',
      'marked/1+1 %2B',
      'marked/é',
    ];
    for (const Key of keys) {
      await client.send(new PutObjectCommand({ Bucket: 'lake', Key, Body: 'x' }));
    }
    const store = s3.store();
    const found: string[] = [];
    for await (const { uri } of store.list('s3://lake/marked')) found.push(uri);
    expect(found.sort()).toEqual(
      keys
        .slice(2)
        .map((key) => `s3://lake/${key}`)
        .sort(),
    );
    expect(await store.children('s3://lake/marked')).toEqual(
      ['g', 'a&<b>', 'c\u0001d', '1+1 %2B', 'é'].sort(),
    );
    for (const uri of found) expect(text(await store.read(uri))).toBe('x');
  });
});

describe('when S3 asks to slow down', () => {
  it('a third of all requests, everything is done in the end', async () => {
    s3.simulator.setFaults([{ probability: 0.3, do: { fault: 'error', code: 'SlowDown' } }]);
    const store = s3.store();
    const uris = Array.from({ length: 100 }, (_, i) => `s3://lake/storm/${i}`);
    await Promise.all(uris.map((uri) => store.put(uri, bytes(uri))));
    const read = await Promise.all(uris.map((uri) => store.read(uri)));
    expect(read.map(text)).toEqual(uris);
  });

  it('for longer than the retries of the SDK, it waits and goes on', async () => {
    s3.simulator.setFaults([{ to: 20, do: { fault: 'error', code: 'SlowDown' } }]);
    await s3.store().put('s3://lake/patience', bytes('1'));
    expect(text(await s3.store().read('s3://lake/patience'))).toBe('1');
  });

  it('for ever, it says so', async () => {
    s3.simulator.setFaults([{ do: { fault: 'error', code: 'SlowDown' } }]);
    expect((await failure(s3.store().put('s3://lake/never', bytes('1')))).code).toBe('THROTTLED');
  });

  it('leave a client that many stores share as it was', async () => {
    const client = await s3.client();
    const before = client.middlewareStack.identify();
    for (let n = 0; n < 3; n++) await s3.store().put(`s3://lake/shared/${n}`, bytes('1'));
    expect(client.middlewareStack.identify()).toEqual(before);
  });

  it('never more than the bound are under way', async () => {
    let most = 0;
    let now = 0;
    const client = await s3.client();
    client.middlewareStack.add(
      (next) => async (args) => {
        now += 1;
        most = Math.max(most, now);
        try {
          return await next(args);
        } finally {
          now -= 1;
        }
      },
      { step: 'finalizeRequest', priority: 'low', name: 'count' },
    );
    try {
      const store = s3.store();
      await Promise.all(Array.from({ length: 150 }, (_, i) => store.size(`s3://lake/bound/${i}`)));
      expect(most).toBeGreaterThan(1);
      expect(most).toBeLessThanOrEqual(requestsAtOnceMax);
    } finally {
      client.middlewareStack.remove('count');
    }
  });
});

describe('the owner of a bucket', () => {
  it('is demanded with every request', async () => {
    const store = s3.store({ expectedBucketOwner: account });
    const stranger = s3.store({ expectedBucketOwner: '999999999999' });
    const work = async (by: ObjectStore, name: string): Promise<void> => {
      const uri = `s3://lake/owned/${name}`;
      const attempts: (() => Promise<unknown>)[] = [
        () => by.put(uri, bytes('1')),
        () => by.putIfAbsent(`${uri}-once`, bytes('1')),
        () => by.read(uri),
        () => by.size(uri),
        () => streamed(by, uri),
        () => by.children('s3://lake/owned'),
        () => by.list('s3://lake/owned')[Symbol.asyncIterator]().next(),
        () => by.remove(uri),
        async () => {
          const writer = await by.create(uri);
          await writer.write(new Uint8Array(9_000_000));
          await writer.close();
        },
      ];
      for (const attempt of attempts) {
        if (by === store) await attempt();
        else expect((await failure(attempt())).code).toBe('DENIED');
      }
    };
    await work(store, 'a');
    await work(stranger, 'b');
  });
});

describe('what is not allowed or not there', () => {
  it('is named by action and resource, without the values that folders are named after', async () => {
    s3.simulator.setFaults([{ do: { fault: 'error', code: 'AccessDenied' } }]);
    const store = s3.store();
    const uri = 's3://lake/t/data/clientid=Jane%20Doe/f.parquet';
    const asked: [string, () => Promise<unknown>][] = [
      ['s3:GetObject', () => store.read(uri)],
      ['s3:GetObject', () => store.size(uri)],
      ['s3:PutObject', () => store.put(uri, bytes('1'))],
      ['s3:PutObject', () => store.putIfAbsent(uri, bytes('1'))],
      ['s3:DeleteObject', () => store.remove(uri)],
      ['s3:ListBucket', () => store.children('s3://lake/t/data/clientid=Jane%20Doe')],
    ];
    for (const [action, attempt] of asked) {
      const error = await failure(attempt());
      expect(error.code).toBe('DENIED');
      expect(error.what).toContain(`${action} on s3://lake/t/data/…`);
      expect(JSON.stringify(error.facts())).not.toContain('Jane');
    }
  });

  it('is told apart: an object, a bucket, a place that is none', async () => {
    const store = s3.store();
    await expect(store.read('s3://lake/none')).rejects.toBeInstanceOf(ObjectNotFoundError);
    expect((await failure(store.read('s3://no-such-bucket/x'))).code).toBe('USAGE');
    expect((await failure(store.put('s3://no-such-bucket/x', bytes('1')))).code).toBe('USAGE');
    expect((await failure(store.read('s3://'))).code).toBe('USAGE');
    expect((await failure(store.read('file:///x'))).code).toBe('USAGE');
  });

  it('by credentials that have expired, it says so', async () => {
    s3.simulator.setFaults([{ do: { fault: 'error', code: 'ExpiredToken' } }]);
    const store = s3.store();
    expect((await failure(store.read('s3://lake/body'))).code).toBe('CREDENTIALS');
    // An answer to a HEAD has no body that could say why.
    expect((await failure(store.size('s3://lake/body'))).code).toBe('CREDENTIALS');
  });
});
