// The simulated S3 byte by byte: what goes over the wire, asked with plain HTTP.
import { createHash } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { describe, expect, it } from 'vitest';
import { runningS3 } from './running.js';

const s3 = runningS3();

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** One request, nothing added but the host. */
function ask(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body: string | Buffer = '',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(s3.simulator.url);
    const outgoing = httpRequest({ hostname, port, method, path, headers }, (incoming) => {
      const pieces: Buffer[] = [];
      incoming.on('data', (piece: Buffer) => pieces.push(piece));
      incoming.on('error', reject);
      incoming.on('end', () =>
        resolve({
          status: incoming.statusCode!,
          headers: incoming.headers,
          body: Buffer.concat(pieces).toString(),
        }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

const length = (body: string | Buffer): Record<string, string> => ({
  'content-length': String(body.length),
});

describe('errors', () => {
  it('are XML without a namespace, with ids that are in the headers too', async () => {
    const Bucket = await s3.makeBucket();
    const { status, headers, body } = await ask('GET', `/${Bucket}/a%20%3C%26%3E`);
    expect(status).toBe(404);
    expect(headers['content-type']).toBe('application/xml');
    const id = headers['x-amz-request-id'];
    const hostId = headers['x-amz-id-2'];
    expect(id).toMatch(/^[0-9A-F]{16}$/);
    expect(body).toBe(
      `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Key>a &lt;&amp;&gt;</Key><RequestId>${id}</RequestId><HostId>${hostId}</HostId></Error>`,
    );
  });

  it('have no body on HEAD', async () => {
    const Bucket = await s3.makeBucket();
    const { status, body } = await ask('HEAD', `/${Bucket}/none`);
    expect([status, body]).toEqual([404, '']);
  });

  it('name what is not simulated', async () => {
    const Bucket = await s3.makeBucket();
    for (const [method, path] of [
      ['GET', `/${Bucket}?policy`],
      ['PUT', `/${Bucket}?versioning`],
      ['GET', `/${Bucket}/x?tagging`],
      ['PUT', `/${Bucket}/x?acl`],
      ['POST', `/${Bucket}/x`],
      ['POST', `/${Bucket}`],
      ['DELETE', '/'],
    ] as const) {
      const { status, body } = await ask(method, path, { 'content-length': '0' });
      expect([status, /<Code>(\w+)/.exec(body)?.[1]]).toEqual([501, 'NotImplemented']);
    }
    // None of these made or removed anything.
    expect((await ask('GET', `/${Bucket}/x`)).status).toBe(404);
    expect((await ask('HEAD', `/${Bucket}`)).status).toBe(200);
  });

  it('say that a path is no UTF-8', async () => {
    expect((await ask('GET', '/bucket/%ff')).body).toContain('<Code>InvalidURI</Code>');
  });
});

describe('uploads', () => {
  it('need a length', async () => {
    const Bucket = await s3.makeBucket();
    const { status, body } = await ask(
      'PUT',
      `/${Bucket}/x`,
      { 'transfer-encoding': 'chunked' },
      'some bytes',
    );
    expect(status).toBe(411);
    expect(body).toContain('<Code>MissingContentLength</Code>');
  });

  it('are checked against x-amz-content-sha256', async () => {
    const Bucket = await s3.makeBucket();
    const sha256 = createHash('sha256').update('right').digest('hex');
    const put = (body: string) =>
      ask('PUT', `/${Bucket}/x`, { 'x-amz-content-sha256': sha256, ...length(body) }, body);
    expect((await put('right')).status).toBe(200);
    expect((await put('wrong')).body).toContain('<Code>XAmzContentSHA256Mismatch</Code>');
    expect((await ask('GET', `/${Bucket}/x`)).body).toBe('right');
  });

  it('vanish when the client leaves halfway', async () => {
    const Bucket = await s3.makeBucket();
    const { hostname, port } = new URL(s3.simulator.url);
    await new Promise<void>((resolve) => {
      const path = `/${Bucket}/x`;
      const headers = { 'content-length': '1000000' };
      const outgoing = httpRequest({ hostname, port, method: 'PUT', path, headers });
      outgoing.on('error', () => resolve());
      outgoing.write(Buffer.alloc(500_000), () => outgoing.destroy(new Error('left')));
    });
    expect((await ask('HEAD', `/${Bucket}/x`)).status).toBe(404);
  });
});

describe('chunks', () => {
  const signature =
    'chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648';
  const put = async (
    headers: Record<string, string>,
    body: string,
  ): Promise<{
    readonly status: number;
    readonly code: string | undefined;
    readonly read: string;
  }> => {
    const Bucket = await s3.makeBucket();
    const path = `/${Bucket}/x`;
    const { status, body: answer } = await ask('PUT', path, { ...headers, ...length(body) }, body);
    const { body: read } = await ask('GET', path);
    return { status, code: /<Code>(\w+)/.exec(answer)?.[1], read };
  };
  const signed = {
    'content-encoding': 'aws-chunked',
    'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    'x-amz-decoded-content-length': '11',
  };
  const trailing = {
    'content-encoding': 'aws-chunked',
    'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    'x-amz-decoded-content-length': '11',
    'x-amz-trailer': 'x-amz-checksum-crc32',
  };
  // printf 'hello world' | gzip -c | tail -c8 | od: CRC32 0d4a1185
  const crc32 = Buffer.from('0d4a1185', 'hex').toString('base64');

  it('with signatures are taken apart', async () => {
    const body = `6;${signature}\r\nhello \r\n5;${signature}\r\nworld\r\n0;${signature}\r\n\r\n`;
    expect(await put(signed, body)).toEqual({ status: 200, code: undefined, read: 'hello world' });
  });

  it('may hold what looks like a chunk', async () => {
    const body = `b;${signature}\r\n0;a\r\n\r\nbc\r\n\r\n0;${signature}\r\n\r\n`;
    expect((await put(signed, body)).read).toBe('0;a\r\n\r\nbc\r\n');
  });

  it.each([`b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:${crc32}\r\n\r\n`])(
    'with a trailing checksum are verified',
    async (body) => {
      expect(await put(trailing, body)).toEqual({
        status: 200,
        code: undefined,
        read: 'hello world',
      });
      const wrong = body.replace('hello', 'jello');
      expect(await put(trailing, wrong)).toMatchObject({ status: 400, code: 'BadDigest' });
      const without = 'b\r\nhello world\r\n0\r\n\r\n';
      expect(await put(trailing, without)).toMatchObject({ status: 400, code: 'IncompleteBody' });
    },
  );

  it('with a signed trailer are taken apart', async () => {
    const headers = {
      ...trailing,
      'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
    };
    const end = `x-amz-checksum-crc32:${crc32}\r\nx-amz-trailer-signature:00ff\r\n\r\n`;
    const body = `b;${signature}\r\nhello world\r\n0;${signature}\r\n${end}`;
    expect(await put(headers, body)).toMatchObject({ status: 200, read: 'hello world' });
  });

  it.each([
    ['end early', `b;${signature}\r\nhello wor`],
    ['have no last chunk', `b;${signature}\r\nhello world\r\n`],
    ['are longer than was said', `c;${signature}\r\nhello world!\r\n0;${signature}\r\n\r\n`],
    ['are shorter than was said', `5;${signature}\r\nhello\r\n0;${signature}\r\n\r\n`],
    ['have no length', `;${signature}\r\nhello world\r\n0;${signature}\r\n\r\n`],
    ['run into each other', `b;${signature}\r\nhello world0;${signature}\r\n\r\n`],
  ])('are refused when they %s', async (_, body) => {
    expect(await put(signed, body)).toMatchObject({ status: 400, code: 'IncompleteBody' });
  });
});

describe('a list', () => {
  it('is in S3’s namespace and form', async () => {
    const Bucket = await s3.makeBucket();
    await ask('PUT', `/${Bucket}/a%26b`, length('x'), 'x');
    const { body } = await ask('GET', `/${Bucket}?list-type=2&prefix=a`);
    expect(body).toBe(
      `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>${Bucket}</Name><Prefix>a</Prefix><MaxKeys>1000</MaxKeys><KeyCount>1</KeyCount><IsTruncated>false</IsTruncated><Contents><Key>a&amp;b</Key><LastModified>2026-11-20T12:00:00.000Z</LastModified><ETag>&quot;9dd4e461268c8034f5c8564e155c67a6&quot;</ETag><Size>1</Size><StorageClass>STANDARD</StorageClass></Contents></ListBucketResult>`,
    );
  });
});

describe('XML of a request', () => {
  it('is refused when it is none, or another document', async () => {
    const Bucket = await s3.makeBucket();
    for (const body of [
      'no XML',
      '<Delete><Object></Delete>',
      '<Other><Object><Key>a</Key></Object></Other>',
      '<!DOCTYPE x [<!ENTITY e "f">]><Delete><Object><Key>&e;</Key></Object></Delete>',
      '<Delete></Delete>',
    ]) {
      const md5 = createHash('md5').update(body).digest('base64');
      const answer = await ask(
        'POST',
        `/${Bucket}?delete`,
        { 'content-md5': md5, ...length(body) },
        body,
      );
      expect(answer.body).toContain('<Code>MalformedXML</Code>');
    }
    const body = '<Delete><Object><Key>a</Key></Object></Delete>';
    const without = await ask('POST', `/${Bucket}?delete`, length(body), body);
    expect(without.body).toContain('Missing required header for this request: Content-MD5');
  });
});

describe('the simulator’s own pages', () => {
  it('tell the log and take a plan', async () => {
    const Bucket = await s3.makeBucket();
    expect((await ask('DELETE', '/_simulator/requests')).status).toBe(200);
    const plan = '[{"operation":"GetObject","nth":2,"do":{"fault":"error","code":"SlowDown"}}]';
    expect(await ask('PUT', '/_simulator/faults', length(plan), plan)).toMatchObject({
      status: 200,
      body: '{"rules":1}\n',
    });
    await ask('PUT', `/${Bucket}/x`, length('abc'), 'abc');
    expect((await ask('GET', `/${Bucket}/x`)).status).toBe(200);
    expect((await ask('GET', `/${Bucket}/x`)).status).toBe(503);
    const log = JSON.parse((await ask('GET', '/_simulator/requests')).body) as unknown[];
    const common = { service: 's3', bucket: Bucket, key: 'x' };
    expect(log).toMatchObject([
      { ...common, operation: 'PutObject', status: 200, requestBytes: 3, fault: null },
      { ...common, operation: 'GetObject', status: 200, responseBytes: 3, fault: null },
      { ...common, operation: 'GetObject', status: 503, fault: 'error' },
    ]);
    const uses = JSON.parse((await ask('GET', '/_simulator/faults')).body) as unknown[];
    expect(uses).toMatchObject([{ matched: 2, fired: 1 }]);
    const bad = '[{"do":"explode"}]';
    expect((await ask('PUT', '/_simulator/faults', length(bad), bad)).status).toBe(400);
    expect((await ask('PUT', '/_simulator/faults', length('[]'), '[]')).status).toBe(200);
    expect((await ask('GET', '/_simulator/other')).status).toBe(404);
  });

  it('route by target and by credential scope; an unknown service says so', async () => {
    const scoped = (service: string) =>
      `AWS4-HMAC-SHA256 Credential=test/20261120/eu-west-1/${service}/aws4_request, SignedHeaders=host, Signature=00`;
    const kms = await ask('POST', '/', { authorization: scoped('kms'), ...length('{}') }, '{}');
    expect(kms.status).toBe(400);
    expect(JSON.parse(kms.body)).toMatchObject({ __type: 'UnknownOperationException' });
    expect((await ask('GET', '/', { authorization: scoped('s3') })).body).toContain('<Buckets>');
    expect((await ask('GET', '/?X-Amz-Credential=t/2/r/s3/aws4_request')).body).toContain(
      '<Buckets>',
    );
  });
});
