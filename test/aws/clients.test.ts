// The clients as the SDK builds them, talking to a server of the test's own that remembers what it was asked.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetTablesCommand } from '@aws-sdk/client-glue';
import { ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { awsError } from '../../pipeline/aws/aws-errors.js';
import { type AwsClients, createAwsClients } from '../../pipeline/aws/clients.js';
import { awsEnvironment } from './simulated-s3.js';

interface Asked {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const roleAnswer = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>ROLEKEY</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>
<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`;

let server: Server;
let url: string;
let asked: Asked[] = [];
let status = 200;
const clients: AwsClients[] = [];
const folder = mkdtempSync(join(tmpdir(), 'tidelake-aws-'));

beforeAll(async () => {
  Object.assign(process.env, awsEnvironment);
  server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const body = Buffer.concat(pieces).toString('utf8');
      asked.push({ path: request.url!, headers: request.headers, body });
      response.statusCode = status;
      if (body.includes('AssumeRole')) response.end(roleAnswer);
      else if (request.headers['x-amz-target'] !== undefined) response.end('{"TableList":[]}');
      else response.end('<ListBucketResult></ListBucketResult>');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  asked = [];
  status = 200;
});
afterAll(() => {
  for (const one of clients) one.close();
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

function made(...given: Parameters<typeof createAwsClients>): AwsClients {
  const one = createAwsClients(...given);
  clients.push(one);
  return one;
}

const list = new ListObjectsV2Command({ Bucket: 'lake' });

describe('clients', () => {
  it('say who they are, use the path for the bucket at an endpoint of their own, and are made once', async () => {
    const one = made(
      { version: '1.2.3' },
      { AWS_ENDPOINT_URL: url, AWS_DEFAULT_REGION: 'eu-north-1' },
    );
    expect(await one.s3()).toBe(await one.s3());
    await (await one.s3()).send(list);
    expect(asked[0]!.path).toMatch(/^\/lake\/?\?/);
    expect(asked[0]!.headers['user-agent']).toContain('tidelake/1.2.3');
    expect(asked[0]!.headers.authorization).toContain('Credential=test/');
    expect(asked[0]!.headers.authorization).toContain('/eu-north-1/s3/');
  });

  it('send no checksum that an endpoint of another make may not know', async () => {
    await (await made({ endpoint: url }).s3()).send(
      new PutObjectCommand({ Bucket: 'lake', Key: 'k', Body: new Uint8Array(3) }),
    );
    const names = Object.keys(asked[0]!.headers);
    expect(names.filter((name) => /^x-amz-(checksum|sdk-checksum|trailer)/.test(name))).toEqual([]);
  });

  it('each go to the endpoint of their service', async () => {
    const one = made({}, { AWS_ENDPOINT_URL_GLUE: url });
    await (await one.glue()).send(new GetTablesCommand({ DatabaseName: 'd' }));
    expect(asked[0]!.headers['x-amz-target']).toBe('AWSGlue.GetTables');
    const s3 = await one.s3();
    const endpoint = await s3.config.endpoint?.();
    expect(endpoint).toBeUndefined();
  });

  it('ask eight times where an error may pass, but once for a commit', async () => {
    status = 500;
    const one = made({ endpoint: url });
    expect((await one.glue()).config.maxAttempts).toBeTypeOf('function');
    expect(await (await one.glue()).config.maxAttempts()).toBe(8);
    expect(await (await one.s3()).config.maxAttempts()).toBe(8);
    await expect(
      (await one.glueOnce()).send(new GetTablesCommand({ DatabaseName: 'd' })),
    ).rejects.toThrow();
    expect(asked).toHaveLength(1);
  });

  it('take on a role with the credentials found, and sign with it', async () => {
    const roleArn = 'arn:aws:iam::123456789012:role/merger';
    await (await made({ roleArn, version: '1' }, { AWS_ENDPOINT_URL: url }).s3()).send(list);
    expect(asked).toHaveLength(2);
    expect(asked[0]!.headers.authorization).toContain('Credential=test/');
    expect(decodeURIComponent(asked[0]!.body)).toContain(`RoleArn=${roleArn}`);
    expect(asked[0]!.headers['user-agent']).toContain('tidelake/1');
    expect(asked[1]!.headers.authorization).toContain('Credential=ROLEKEY/');
  });

  it('send nothing to an address that a configuration file slips in', async () => {
    const config = join(folder, 'config');
    writeFileSync(
      config,
      `[profile evil]\nregion = eu-west-1\nendpoint_url = http://169.254.169.254\n`,
    );
    process.env.AWS_CONFIG_FILE = config;
    process.env.AWS_PROFILE = 'evil';
    try {
      const client = await made({}, {}).s3();
      client.config.credentials = async () => ({ accessKeyId: 'test', secretAccessKey: 'test' });
      await expect(client.send(list)).rejects.toMatchObject({ code: 'USAGE' });
    } finally {
      process.env.AWS_CONFIG_FILE = awsEnvironment.AWS_CONFIG_FILE;
      delete process.env.AWS_PROFILE;
    }
  });

  it('without a region anywhere, say how to name one', async () => {
    const { AWS_REGION } = process.env;
    delete process.env.AWS_REGION;
    try {
      const client = await made({ endpoint: url }, {}).s3();
      const error = await client.send(list).catch((thrown: unknown) => thrown);
      const told = awsError(error, { action: 's3:ListBucket', resource: 's3://lake' });
      expect(told).toMatchObject({ code: 'USAGE', next: expect.stringContaining('--region') });
    } finally {
      process.env.AWS_REGION = AWS_REGION;
    }
  });

  it('without credentials anywhere, say so', async () => {
    const { AWS_ACCESS_KEY_ID } = process.env;
    delete process.env.AWS_ACCESS_KEY_ID;
    try {
      const client = await made({ endpoint: url }, { AWS_REGION: 'eu-west-1' }).s3();
      const error = await client.send(list).catch((thrown: unknown) => thrown);
      const told = awsError(error, { action: 's3:ListBucket', resource: 's3://lake' });
      expect(told).toMatchObject({ code: 'CREDENTIALS' });
      expect(asked).toEqual([]);
    } finally {
      process.env.AWS_ACCESS_KEY_ID = AWS_ACCESS_KEY_ID;
    }
  });
});
