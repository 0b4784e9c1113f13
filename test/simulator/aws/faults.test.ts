// The faults of the simulator, met by the real SDK: each goes wrong in its own way, applied or not as it says.
import { connect } from 'node:net';
import { GlueClient, UpdateTableCommand } from '@aws-sdk/client-glue';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { FaultPlanInput } from '../../../pipeline/simulator/aws/fault-plan.js';
import { parseFaultPlan } from '../../../pipeline/simulator/aws/fault-plan.js';
import { FaultInjector } from '../../../pipeline/simulator/aws/faults.js';
import { rejection, runningS3, someBytes } from './running.js';

const s3 = runningS3();
afterEach(() => s3.plan([]));

const put = (Bucket: string, Body: string, more: object = {}) =>
  s3.client.send(new PutObjectCommand({ Bucket, Key: 'x', Body, ...more }));

async function text(Bucket: string): Promise<string> {
  const { Body } = await s3.client.send(new GetObjectCommand({ Bucket, Key: 'x' }));
  return await Body!.transformToString();
}

/** Bytes of an object until its body ends or fails, and whether it failed. */
async function readUntilFailure(Bucket: string): Promise<{ bytes: Buffer; failed: boolean }> {
  const { Body } = await s3.client.send(new GetObjectCommand({ Bucket, Key: 'x' }));
  const pieces: Uint8Array[] = [];
  try {
    for await (const piece of Body as AsyncIterable<Uint8Array>) pieces.push(piece);
  } catch {
    return { bytes: Buffer.concat(pieces), failed: true };
  }
  return { bytes: Buffer.concat(pieces), failed: false };
}

describe('a fault', () => {
  it('error: is not applied, and has the code’s status', async () => {
    const Bucket = await s3.makeBucket();
    await put(Bucket, 'old');
    for (const [code, status] of [
      ['SlowDown', 503],
      ['InternalError', 500],
      ['AccessDenied', 403],
      ['ExpiredToken', 400],
    ] as const) {
      s3.plan([{ operation: 'PutObject', do: { fault: 'error', code } }]);
      const error = await rejection(put(Bucket, 'new'));
      expect(error).toMatchObject({ name: code, $metadata: { httpStatusCode: status } });
      expect(s3.log()).toMatchObject([{ operation: 'PutObject', status, fault: 'error' }]);
    }
    s3.plan([{ do: { fault: 'error', code: 'Strange', status: 418, message: 'odd' } }]);
    expect(await rejection(put(Bucket, 'new'))).toMatchObject({ name: 'Strange', message: 'odd' });
    s3.plan([]);
    expect(await text(Bucket)).toBe('old');
  });

  it('errorIn200: an error’s document under status 200, which the SDK takes for an error', async () => {
    const Bucket = await s3.makeBucket();
    await put(Bucket, 'old');
    const { UploadId } = await s3.client.send(
      new CreateMultipartUploadCommand({ Bucket, Key: 'x' }),
    );
    const { ETag } = await s3.client.send(
      new UploadPartCommand({ Bucket, Key: 'x', UploadId, PartNumber: 1, Body: 'new' }),
    );
    s3.plan([
      {
        operation: ['CompleteMultipartUpload', 'CopyObject'],
        do: { fault: 'errorIn200', code: 'InternalError' },
      },
    ]);
    const Parts = [{ PartNumber: 1, ETag: ETag! }];
    const complete = { Bucket, Key: 'x', UploadId, MultipartUpload: { Parts } };
    const error = await rejection(s3.client.send(new CompleteMultipartUploadCommand(complete)));
    expect(error.name).toBe('InternalError');
    const copy = new CopyObjectCommand({ Bucket, Key: 'y', CopySource: `${Bucket}/x` });
    expect((await rejection(s3.client.send(copy))).name).toBe('InternalError');
    expect(s3.log().map((each) => each.status)).toEqual([200, 200]);
    s3.plan([]);
    expect(await text(Bucket)).toBe('old');
    await s3.client.send(new CompleteMultipartUploadCommand(complete));
    expect(await text(Bucket)).toBe('new');
  });

  it('refuse: the connection is reset and nothing is applied', async () => {
    const Bucket = await s3.makeBucket();
    await put(Bucket, 'old');
    s3.plan([{ operation: 'PutObject', do: 'refuse' }]);
    expect(await rejection(put(Bucket, 'new'))).toMatchObject({ code: 'ECONNRESET' });
    expect(s3.log()).toMatchObject([{ status: null, fault: 'refuse' }]);
    expect(await text(Bucket)).toBe('old');
  });

  it('loseAnswer: applied, but nobody is told', async () => {
    const Bucket = await s3.makeBucket();
    await put(Bucket, 'old');
    s3.plan([{ operation: 'PutObject', do: 'loseAnswer' }]);
    expect(await rejection(put(Bucket, 'new'))).toMatchObject({ code: 'ECONNRESET' });
    expect(await text(Bucket)).toBe('new');
  });

  it('loseAnswer with a retry: a conditional write fails on its own object', async () => {
    const Bucket = await s3.makeBucket();
    const client = s3.makeClient({ maxAttempts: 3 });
    s3.plan([{ operation: 'PutObject', nth: 1, do: 'loseAnswer' }]);
    const once = new PutObjectCommand({ Bucket, Key: 'x', Body: 'mine', IfNoneMatch: '*' });
    expect((await rejection(client.send(once))).name).toBe('PreconditionFailed');
    expect(s3.log().map((each) => each.status)).toEqual([null, 412]);
    expect(await text(Bucket)).toBe('mine');
  });

  it.each([0, 1, 9, 10])('cut: the body ends after %i of 10 bytes', async (afterBytes) => {
    const Bucket = await s3.makeBucket();
    await put(Bucket, '0123456789');
    s3.plan([{ operation: 'GetObject', do: { fault: 'cut', afterBytes } }]);
    const { bytes, failed } = await readUntilFailure(Bucket);
    expect(bytes.toString()).toBe('0123456789'.slice(0, afterBytes));
    expect(failed).toBe(afterBytes < 10);
  });

  it.each([
    ['refuse', 'refuse', 0],
    ['loseAnswer', 'loseAnswer', 0],
    ['cut', { fault: 'cut', afterBytes: 4 }, 4],
  ] as const)(
    '%s: the connection ends also when the answer before is still under way',
    async (_, fault, bytes) => {
      const Bucket = await s3.makeBucket();
      await put(Bucket, '0123456789');
      s3.plan([{ operation: 'GetObject', nth: 2, do: fault }]);
      const { hostname, port } = new URL(s3.simulator.url);
      const socket = connect(Number(port), hostname);
      let heard = '';
      socket.on('data', (piece: Buffer) => {
        heard += piece.toString('latin1');
      });
      socket.on('error', () => {});
      const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
      // Two requests at once on one connection: the second answer waits for the first to be gone.
      socket.write(`GET /${Bucket}/x HTTP/1.1\r\nHost: s3\r\n\r\n`.repeat(2));
      await closed;
      // A reset may take away what was not read yet.
      if (bytes > 0) expect(heard.endsWith('\r\n\r\n0123')).toBe(true);
    },
  );

  it('cut: also within a large body', async () => {
    const Bucket = await s3.makeBucket();
    const whole = someBytes(3_000_000);
    await s3.client.send(new PutObjectCommand({ Bucket, Key: 'x', Body: whole }));
    s3.plan([{ operation: 'GetObject', do: { fault: 'cut', afterBytes: 1_234_567 } }]);
    const { bytes, failed } = await readUntilFailure(Bucket);
    expect(failed).toBe(true);
    expect(bytes.equals(whole.subarray(0, 1_234_567))).toBe(true);
    expect(s3.log()).toMatchObject([{ status: 200, responseBytes: 1_234_567, fault: 'cut' }]);
  });

  it('stall: so many bytes, then silence until the reader leaves', async () => {
    const Bucket = await s3.makeBucket();
    await put(Bucket, '0123456789');
    s3.plan([{ operation: 'GetObject', do: { fault: 'stall', afterBytes: 4 } }]);
    const stop = new AbortController();
    const get = new GetObjectCommand({ Bucket, Key: 'x' });
    const { Body } = await s3.client.send(get, { abortSignal: stop.signal });
    const stream = Body as AsyncIterable<Uint8Array> & { destroy(): void };
    const seen: Uint8Array[] = [];
    let size = 0;
    for await (const piece of stream) {
      seen.push(piece);
      size += piece.length;
      if (size >= 4) break;
    }
    stream.destroy();
    expect(Buffer.concat(seen).toString()).toBe('0123');
  });

  it('hang: no answer, applied or not', async () => {
    const Bucket = await s3.makeBucket();
    await put(Bucket, 'old');
    /** Writes without an answer, and leaves when `seen` no longer fails. */
    const writeAndLeave = async (seen: () => unknown): Promise<string> => {
      const stop = new AbortController();
      const write = new PutObjectCommand({ Bucket, Key: 'x', Body: 'new' });
      const left = rejection(s3.client.send(write, { abortSignal: stop.signal }));
      await vi.waitFor(seen, { timeout: 30_000, interval: 5 });
      stop.abort();
      return (await left).name;
    };
    s3.plan([{ operation: 'PutObject', do: 'hang' }]);
    const isLogged = () => expect(s3.log()).toMatchObject([{ status: null, fault: 'hang' }]);
    expect(await writeAndLeave(isLogged)).toBe('AbortError');
    expect(await text(Bucket)).toBe('old');
    s3.plan([{ operation: 'PutObject', do: { fault: 'hang', applied: true } }]);
    const isApplied = async () => expect(await text(Bucket)).toBe('new');
    expect(await writeAndLeave(isApplied)).toBe('AbortError');
  });

  it('drip and delay: late, but whole', async () => {
    const Bucket = await s3.makeBucket();
    await put(Bucket, '0123456789');
    s3.plan([{ operation: 'GetObject', do: { fault: 'drip', bytes: 3, everyMs: 1 } }]);
    expect(await text(Bucket)).toBe('0123456789');
    s3.plan([{ do: { fault: 'delay', ms: 5 } }]);
    expect(await text(Bucket)).toBe('0123456789');
    expect(s3.log()).toMatchObject([{ status: 200, fault: 'delay' }]);
  });

  it('corrupt: one bit is wrong, and the SDK’s checksum finds it', async () => {
    const Bucket = await s3.makeBucket();
    await put(Bucket, 'aaaaaaaaaa');
    s3.plan([{ operation: 'GetObject', do: { fault: 'corrupt', atByte: 3 } }]);
    expect((await rejection(text(Bucket))).message).toContain('Checksum mismatch');
    const client = s3.makeClient({ responseChecksumValidation: 'WHEN_REQUIRED' });
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: 'x' }));
    expect(await Body!.transformToString()).toBe('aaa`aaaaaa');
  });

  it('wrongEtag: the ETag told is not the object’s', async () => {
    const Bucket = await s3.makeBucket();
    s3.plan([{ do: 'wrongEtag' }]);
    const told = await put(Bucket, 'x');
    s3.plan([]);
    const { ETag } = await s3.client.send(new HeadObjectCommand({ Bucket, Key: 'x' }));
    expect(told.ETag).toMatch(/^"[0-9a-f]{32}"$/);
    expect(told.ETag).not.toBe(ETag);
    s3.plan([{ operation: 'CopyObject', do: 'wrongEtag' }]);
    const copy = new CopyObjectCommand({ Bucket, Key: 'y', CopySource: `${Bucket}/x` });
    expect((await s3.client.send(copy)).CopyObjectResult?.ETag).toBe(told.ETag);
  });

  it('duplicate: applied twice, answered once', async () => {
    const Bucket = await s3.makeBucket();
    s3.plan([{ operation: 'PutObject', do: 'duplicate' }]);
    await put(Bucket, 'first', { IfNoneMatch: '*' });
    expect(await text(Bucket)).toBe('first');
    s3.plan([{ operation: 'PutObject', do: { fault: 'duplicate', answer: 'second' } }]);
    const again = new PutObjectCommand({ Bucket, Key: 'y', Body: 'y', IfNoneMatch: '*' });
    expect((await rejection(s3.client.send(again))).name).toBe('PreconditionFailed');
    await s3.client.send(new HeadObjectCommand({ Bucket, Key: 'y' }));
  });
});

describe('a fault of a service that speaks JSON', () => {
  it('is an exception of its own form, for one table', async () => {
    const glue = new GlueClient({
      endpoint: s3.simulator.url,
      region: 'eu-west-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts: 1,
    });
    const update = (Name: string) =>
      glue.send(new UpdateTableCommand({ DatabaseName: 'lake', TableInput: { Name } }));
    s3.plan([
      {
        operation: 'UpdateTable',
        key: 'lake/orders',
        do: { fault: 'error', code: 'ConcurrentModificationException' },
      },
    ]);
    const error = await rejection(update('orders'));
    expect(error.name).toBe('ConcurrentModificationException');
    expect((await rejection(update('other'))).name).not.toBe(error.name);
    s3.plan([{ service: 'glue', do: 'loseAnswer' }]);
    expect(await rejection(update('orders'))).toMatchObject({ code: 'ECONNRESET' });
    s3.plan([{ service: 'glue', do: { fault: 'error', code: 'InternalServiceException' } }]);
    expect(await rejection(update('orders'))).toMatchObject({
      name: 'InternalServiceException',
      $metadata: { httpStatusCode: 500 },
    });
    const table = { service: 'glue', operation: 'UpdateTable', bucket: null, key: 'lake/orders' };
    expect(s3.log()).toMatchObject([{ ...table, status: 500, fault: 'error' }]);
    glue.destroy();
  });
});

describe('a rule', () => {
  const request = (operation: string, key: string, bucket = 'lake') => ({
    service: 's3',
    operation,
    bucket,
    key,
  });
  const injector = (plan: FaultPlanInput): FaultInjector => {
    const parsed = parseFaultPlan(plan);
    if (typeof parsed === 'string') throw new Error(parsed);
    return new FaultInjector(parsed);
  };
  /** Numbers of the requests it fires on, of n equal ones. */
  const fired = (plan: FaultPlanInput, n: number): number[] => {
    const at = injector(plan);
    return Array.from({ length: n }, (_, i) => i + 1).filter(
      () => at.decide(request('GetObject', 'k')) !== null,
    );
  };

  it('counts: nth, every, from, to', () => {
    expect(fired([{ nth: 3, do: 'refuse' }], 6)).toEqual([3]);
    expect(fired([{ every: 2, do: 'refuse' }], 6)).toEqual([2, 4, 6]);
    expect(fired([{ from: 3, to: 4, do: 'refuse' }], 6)).toEqual([3, 4]);
    expect(fired([{ every: 2, from: 3, do: 'refuse' }], 8)).toEqual([4, 6, 8]);
    expect(fired([{ do: 'refuse' }], 2)).toEqual([1, 2]);
  });

  it('fires by chance in the same places for the same seed', () => {
    const plan = (seed: number): FaultPlanInput => ({
      seed,
      rules: [{ probability: 0.3, do: 'refuse' }],
    });
    const hits = fired(plan(7), 1000);
    expect(fired(plan(7), 1000)).toEqual(hits);
    expect(fired(plan(8), 1000)).not.toEqual(hits);
    // A binomial of 1000 and 0.3: 5 standard deviations are 72.
    expect(Math.abs(hits.length - 300)).toBeLessThan(73);
    expect(fired({ rules: [{ probability: 0, do: 'refuse' }] }, 100)).toEqual([]);
    expect(fired({ rules: [{ probability: 1, do: 'refuse' }] }, 3)).toEqual([1, 2, 3]);
  });

  it('is about a service, operations, a bucket, and keys of a form', () => {
    const at = injector([
      { service: 's3', operation: ['GetObject', 'HeadObject'], key: 'a/*.json', do: 'refuse' },
      { bucket: 'other', do: 'hang' },
      { service: 'glue', key: 'lake/orders', do: { fault: 'error', code: 'X' } },
    ]);
    const fault = (operation: string, key: string, bucket?: string) =>
      at.decide(request(operation, key, bucket))?.fault ?? null;
    expect(fault('GetObject', 'a/b/c.json')).toBe('refuse');
    expect(fault('HeadObject', 'a/.json')).toBe('refuse');
    expect(fault('PutObject', 'a/b.json')).toBeNull();
    expect(fault('GetObject', 'a/bxjson')).toBeNull();
    expect(fault('GetObject', 'b/a/b.json')).toBeNull();
    expect(fault('PutObject', 'x', 'other')).toBe('hang');
    const glue = { service: 'glue', operation: 'UpdateTable', bucket: null, key: 'lake/orders' };
    expect(at.decide(glue)?.fault).toBe('error');
    expect(at.uses().map(({ matched, fired: times }) => [matched, times])).toEqual([
      [2, 2],
      [1, 1],
      [1, 1],
    ]);
  });

  it('leaves to an earlier one what both would do, and counts all the same', () => {
    const at = injector([
      { nth: 2, do: 'hang' },
      { nth: 2, do: 'refuse' },
      { nth: 3, do: 'loseAnswer' },
    ]);
    const faults = [1, 2, 3].map(() => at.decide(request('GetObject', 'k'))?.fault ?? null);
    expect(faults).toEqual([null, 'hang', 'loseAnswer']);
  });

  it.each([
    ['not a plan', /expected object/],
    [{ rules: [{ do: 'explode' }] }, /rules\.0\.do/],
    [{ rules: [{ operatoin: 'GetObject', do: 'hang' }] }, /operatoin/],
    [[{ nth: 0, do: 'hang' }], /rules\.0\.nth/],
    [[{ probability: 2, do: 'hang' }], /rules\.0\.probability/],
    [[{ do: { fault: 'cut' } }], /rules\.0\.do\.afterBytes/],
  ])('is refused when it makes no sense: %j', (plan, what) => {
    expect(parseFaultPlan(plan)).toMatch(what);
  });
});
