// A gate before an endpoint of AWS that lets through what an IAM policy allows, and answers the rest as AWS would.
// Promises: every request is named as IAM names it, or the gate fails; a key that is missing is 404 only for those who may
// list it, as in S3; what was allowed and denied is on record.
// Source: Service Authorization Reference (S3, Glue, Athena); Amazon S3 API Reference, GetObject ("Permissions").

import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
  request as send,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { type IamRequest, type Statement, verdictOf } from '../infra/iam.js';

export const account = '123456789012';
export const region = 'eu-west-1';

/** What a request is in IAM's words; all of them must be allowed. */
export type IamRequests = readonly IamRequest[];

export class PolicyGate {
  /** Null lets everything through. */
  statements: readonly Statement[] | null = null;
  readonly allowed: IamRequest[] = [];
  readonly denied: IamRequest[] = [];
  readonly #upstream: URL;
  readonly #server: Server;

  private constructor(upstream: string) {
    this.#upstream = new URL(upstream);
    this.#server = createServer({ keepAlive: true }, (incoming, outgoing) => {
      this.#handle(incoming, outgoing).catch((error: unknown) => {
        outgoing.writeHead(500).end(String(error));
      });
    });
  }

  /** Opens a gate before the endpoint at `upstream`. */
  static async open(upstream: string): Promise<PolicyGate> {
    const gate = new PolicyGate(upstream);
    await new Promise<void>((resolve) => gate.#server.listen(0, '127.0.0.1', resolve));
    return gate;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** From here on requests are judged by these statements, and the record begins anew. */
  use(statements: readonly Statement[] | null): void {
    this.statements = statements;
    this.allowed.length = 0;
    this.denied.length = 0;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const target = incoming.headers['x-amz-target'];
    const body = typeof target === 'string' ? await wholeOf(incoming) : null;
    const asked = body === null ? s3Requests(incoming) : jsonRequests(String(target), body);
    const refused = asked.find((one) => !this.#allows(one));
    if (refused !== undefined) {
      this.denied.push(refused);
      incoming.resume();
      deny(outgoing, refused, body !== null);
      return;
    }
    if (this.statements !== null) this.allowed.push(...asked);
    const upstream = await this.#forward(incoming, body);
    const isRead = asked[0]!.action === 's3:GetObject';
    if (isRead && upstream.statusCode === 404) {
      const list = listing(asked[0]!.resource);
      if (!this.#allows(list)) {
        this.denied.push(list);
        upstream.resume();
        // S3's answer names the right that is missing.
        deny(outgoing, list, false, incoming.method === 'HEAD');
        return;
      }
      if (this.statements !== null) this.allowed.push(list);
    }
    outgoing.writeHead(upstream.statusCode!, upstream.headers as OutgoingHttpHeaders);
    upstream.pipe(outgoing);
  }

  #allows(one: IamRequest): boolean {
    return this.statements === null || verdictOf(this.statements, one) === 'allowed';
  }

  #forward(incoming: IncomingMessage, body: Buffer | null): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const request = send(
        {
          host: this.#upstream.hostname,
          port: this.#upstream.port,
          method: incoming.method,
          path: incoming.url,
          headers: incoming.headers,
        },
        resolve,
      );
      request.on('error', reject);
      if (body === null) incoming.pipe(request);
      else request.end(body);
    });
  }
}

async function wholeOf(incoming: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of incoming) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

/** Keys of every request to an account's own resources over TLS. */
const always = {
  'aws:ResourceAccount': account,
  'aws:SecureTransport': 'true',
  's3:TlsVersion': '1.3',
};

function listing(objectArn: string): IamRequest {
  const found = /^(arn:aws:s3:::[^/]+)\/([\s\S]*)$/.exec(objectArn)!;
  return {
    action: 's3:ListBucket',
    resource: found[1]!,
    context: { ...always, 's3:prefix': found[2]! },
  };
}

/** A request to S3, path style. Throws for one it does not know. */
export function s3Requests(
  incoming: Pick<IncomingMessage, 'method' | 'url' | 'headers'>,
): IamRequests {
  const { method = '', url = '', headers } = incoming;
  const at = new URL(url, 'http://s3');
  const query = at.searchParams;
  const [, bucket = '', ...rest] = at.pathname.split('/');
  const key = rest.map(decodeURIComponent).join('/');
  const bucketArn = `arn:aws:s3:::${bucket}`;
  const one = (action: string, context: Record<string, string> = {}): IamRequests => [
    {
      action,
      resource: key === '' ? bucketArn : `${bucketArn}/${key}`,
      context: { ...always, ...context },
    },
  ];
  if (key === '') {
    if (method === 'PUT' && query.size === 0) return one('s3:CreateBucket');
    if (method === 'GET' && query.has('location')) return one('s3:GetBucketLocation');
    if (method === 'HEAD') return one('s3:ListBucket');
    if (method === 'GET' && query.get('list-type') === '2') {
      const prefix = query.get('prefix');
      return one('s3:ListBucket', prefix === null ? {} : { 's3:prefix': prefix });
    }
  } else {
    const condition = headers['if-none-match'];
    const creates = {
      's3:ObjectCreationOperation': 'true',
      ...(condition === undefined ? {} : { 's3:if-none-match': condition }),
    };
    const prepares = { 's3:ObjectCreationOperation': 'false' };
    const isCopy = headers['x-amz-copy-source'] !== undefined;
    if (method === 'GET' || method === 'HEAD') {
      if (!query.has('uploadId') && !query.has('versionId')) return one('s3:GetObject');
    } else if (method === 'PUT' && !isCopy) {
      return one('s3:PutObject', query.has('partNumber') ? prepares : creates);
    } else if (method === 'POST' && query.has('uploads')) {
      return one('s3:PutObject', prepares);
    } else if (method === 'POST' && query.has('uploadId')) {
      return one('s3:PutObject', creates);
    } else if (method === 'DELETE' && !query.has('versionId')) {
      return one(query.has('uploadId') ? 's3:AbortMultipartUpload' : 's3:DeleteObject');
    }
  }
  throw new Error(`the gate does not know ${method} ${url}`);
}

/** A request to Glue, Athena or DynamoDB. Throws for one it does not know. */
export function jsonRequests(target: string, body: Buffer): IamRequests {
  const [service, operation] = target.split('.') as [string, string];
  const input = JSON.parse(body.toString('utf8')) as Record<string, unknown>;
  const on = (action: string, resources: readonly string[]): IamRequests =>
    resources.map((resource) => ({ action, resource, context: always }));
  if (service.startsWith('DynamoDB')) return dynamoDbRequests(operation, input);
  if (service.startsWith('AWSGlue')) {
    const glue = `arn:aws:glue:${region}:${account}`;
    const named = (value: unknown): unknown => (value as { Name?: unknown } | undefined)?.Name;
    const isDatabase = input.DatabaseName === undefined;
    const database = isDatabase ? (input.Name ?? named(input.DatabaseInput)) : input.DatabaseName;
    const table = input.Name ?? named(input.TableInput) ?? input.TableName ?? '*';
    return on(`glue:${operation}`, [
      `${glue}:catalog`,
      ...(database === undefined ? [] : [`${glue}:database/${String(database)}`]),
      ...(isDatabase ? [] : [`${glue}:table/${String(database)}/${String(table)}`]),
    ]);
  }
  if (service === 'AmazonAthena') {
    const workgroup = String(input.WorkGroup ?? 'tidelake');
    return on(`athena:${operation}`, [
      `arn:aws:athena:${region}:${account}:workgroup/${workgroup}`,
    ]);
  }
  throw new Error(`the gate does not know ${target}`);
}

function deny(outgoing: ServerResponse, one: IamRequest, isJson: boolean, isHead = false): void {
  const message = `is not authorized to perform: ${one.action} on resource: ${one.resource}`;
  if (isJson) {
    outgoing.writeHead(400, { 'content-type': 'application/x-amz-json-1.1' });
    outgoing.end(JSON.stringify({ __type: 'AccessDeniedException', Message: message }));
    return;
  }
  outgoing.writeHead(403, { 'content-type': 'application/xml' });
  outgoing.end(
    isHead ? undefined : `<Error><Code>AccessDenied</Code><Message>${message}</Message></Error>`,
  );
}

/** A request about tables and exports. */
function dynamoDbRequests(operation: string, input: Record<string, unknown>): IamRequests {
  const on = (resource: string): IamRequests => [
    { action: `dynamodb:${operation}`, resource, context: always },
  ];
  // ListExports and ListTables know no resources.
  if (operation === 'ListExports' || operation === 'ListTables') return on('*');
  const named = input.ExportArn ?? input.TableArn ?? input.ResourceArn ?? input.TableName;
  const name = String(named);
  return on(name.startsWith('arn:') ? name : `arn:aws:dynamodb:${region}:${account}:table/${name}`);
}
