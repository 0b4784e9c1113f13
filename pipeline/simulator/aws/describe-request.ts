// What a request to the simulator is about: service, operation, bucket and key, for routing, fault rules and the log.
// Promises: a name for every request, also for one that no service will understand.
// Source: AWS Signature Version 4 ("credential scope"); AWS JSON 1.1 protocol (X-Amz-Target).
import { s3Target } from './s3-request.js';
import type { SimRequest } from './service.js';

export interface DescribedRequest {
  /** As in credential scopes: 's3', 'glue', 'athena', 'dynamodb'. */
  readonly service: string;
  /** The API's name of the operation, or `Unknown`. */
  readonly operation: string;
  /** Of S3; null where there is none. */
  readonly bucket: string | null;
  /** S3's key; for Glue `database` or `database/table`; for DynamoDB the table. */
  readonly key: string | null;
}

type RequestHead = Pick<SimRequest, 'method' | 'path' | 'query' | 'headers'>;

/** Service names by the prefix of X-Amz-Target. */
const targetServices: Readonly<Record<string, string>> = {
  AWSGlue: 'glue',
  AmazonAthena: 'athena',
  DynamoDB: 'dynamodb',
};

/** The service a request is for: by its target, else by its credential scope, else S3. */
export function serviceOf(request: RequestHead): string {
  const prefix = request.headers['x-amz-target']?.split('.', 1)[0]?.split('_', 1)[0] ?? '';
  const byTarget = targetServices[prefix];
  if (byTarget !== undefined) return byTarget;
  const scope =
    /Credential=([^,\s]+)/.exec(request.headers.authorization ?? '')?.[1] ??
    request.query.get('X-Amz-Credential') ??
    '';
  // Key, date, region, service, "aws4_request"; the asymmetric form has no region.
  const parts = scope.split('/');
  return parts.at(-1) === 'aws4_request' && parts.length >= 4 ? parts.at(-2)! : 's3';
}

/** Describes a request. `body` is that of a JSON protocol, read already; null for S3. */
export function describeRequest(request: RequestHead, body: Uint8Array | null): DescribedRequest {
  const service = serviceOf(request);
  if (service === 's3') return { service, ...s3Names(request) };
  const operation = request.headers['x-amz-target']?.split('.').at(-1) ?? 'Unknown';
  return { service, operation, bucket: null, key: body === null ? null : jsonKey(service, body) };
}

function s3Names(request: RequestHead): Omit<DescribedRequest, 'service'> {
  try {
    return s3Target(request);
  } catch {
    return { operation: 'Unknown', bucket: null, key: null };
  }
}

/** `database/table` of a Glue request, the table of one to DynamoDB, as far as it names them. */
function jsonKey(service: string, body: Uint8Array): string | null {
  let input: Record<string, unknown>;
  try {
    const parsed: unknown = JSON.parse(Buffer.from(body).toString('utf8'));
    if (typeof parsed !== 'object' || parsed === null) return null;
    input = parsed as Record<string, unknown>;
  } catch {
    return null;
  }
  if (service === 'dynamodb') return tableNameIn(input);
  const nameIn = (value: unknown): unknown =>
    typeof value === 'object' && value !== null ? (value as { Name?: unknown }).Name : undefined;
  const names =
    input.DatabaseName === undefined
      ? [input.Name ?? nameIn(input.DatabaseInput)]
      : [input.DatabaseName, input.TableName ?? input.Name ?? nameIn(input.TableInput)];
  const texts = names.filter((name) => typeof name === 'string');
  return texts.length === 0 ? null : texts.join('/');
}

/** The table that a request to DynamoDB is about, by name or ARN; of a batch, the only one. */
function tableNameIn(input: Record<string, unknown>): string | null {
  const { TableName, TableArn, ExportArn, ResourceArn, RequestItems } = input;
  const batch =
    typeof RequestItems === 'object' && RequestItems !== null ? Object.keys(RequestItems) : [];
  const name =
    TableName ?? TableArn ?? ExportArn ?? ResourceArn ?? (batch.length === 1 ? batch[0] : null);
  if (typeof name !== 'string') return null;
  return /:table\/([^/]+)/.exec(name)?.[1] ?? name;
}
