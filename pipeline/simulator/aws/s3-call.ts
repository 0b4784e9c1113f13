// What an S3 operation is given, and the forms its answers have.
// Promises: dates and ETags as S3 writes them.
// Source: Amazon S3 API Reference, "Common response headers".
import type { Clock, Ids } from '../../ports.js';
import { S3Error } from './s3-errors.js';
import type { S3State } from './s3-state.js';
import type { SimRequest, SimResponse } from './service.js';
import { parseXml, type XmlElement } from './xml.js';

/** The account that owns every bucket. */
export const simulatedAccount = '123456789012';
/** Region of buckets for which none was asked. */
export const simulatedRegion = 'eu-west-1';
/** Largest number of a part. */
export const partNumberMax = 10_000;
/** Longest XML body that is read: CompleteMultipartUpload of 10,000 parts with checksums has about 2 MB. */
const xmlBytesMax = 8 * 1024 * 1024;

/** One request of an operation. `bucket` and `key` are empty where the operation has none. */
export interface S3Call {
  readonly request: SimRequest;
  readonly bucket: string;
  readonly key: string;
  readonly state: S3State;
  readonly clock: Clock;
  readonly ids: Ids;
}

export const noBody: Uint8Array = new Uint8Array(0);

/** An answer of XML. */
export function xmlAnswer(
  document: string,
  headers: Readonly<Record<string, string>> = {},
): SimResponse {
  return {
    status: 200,
    headers: { 'content-type': 'application/xml', ...headers },
    body: Buffer.from(document, 'utf8'),
  };
}

/** An answer of headers only. */
export function emptyAnswer(
  status: number,
  headers: Readonly<Record<string, string>> = {},
): SimResponse {
  return { status, headers, body: noBody };
}

/** A time as XML bodies have it. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** A time as headers have it, cut to the second. */
export function httpTime(ms: number): string {
  return new Date(ms).toUTCString();
}

export function quoted(etag: string): string {
  return `"${etag}"`;
}

/** A whole-number query parameter in [0, most]; throws InvalidArgument. */
export function numberParameter(
  call: S3Call,
  name: string,
  options: { readonly fallback: number; readonly most: number },
): number {
  const text = call.request.query.get(name);
  if (text === null || text === '') return options.fallback;
  if (!/^\d{1,10}$/.test(text) || Number(text) > 2 ** 31 - 1) {
    throw new S3Error(
      'InvalidArgument',
      { ArgumentName: name, ArgumentValue: text },
      `Provided ${name} not an integer or within integer range`,
    );
  }
  return Math.min(Number(text), options.most);
}

/** The part a request is about; throws InvalidArgument. */
export function partNumberOf(call: S3Call): number {
  const text = call.request.query.get('partNumber') ?? '';
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > partNumberMax) {
    throw new S3Error(
      'InvalidArgument',
      { ArgumentName: 'partNumber', ArgumentValue: text },
      'Part number must be an integer between 1 and 10000, inclusive',
    );
  }
  return number;
}

/** The request's body as an XML element of that name; throws MalformedXML. */
export async function readXml(call: S3Call, root: string): Promise<XmlElement> {
  const element = parseXml((await readBytes(call)).toString('utf8'));
  if (element === null || element.name !== root) throw new S3Error('MalformedXML');
  return element;
}

/** The request's whole body; throws MalformedXML when it is longer than any document. */
export async function readBytes(call: S3Call): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of call.request.body) {
    size += piece.length;
    if (size > xmlBytesMax) throw new S3Error('MalformedXML');
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
