// Lists: ListObjectsV2, ListObjects, ListMultipartUploads.
// Promises: keys in the order of their UTF-8 bytes; a page is of one moment; tokens go on where the page before ended.
// Source: Amazon S3 API Reference, the pages of these actions.
import {
  isoTime,
  numberParameter,
  quoted,
  type S3Call,
  simulatedAccount,
  xmlAnswer,
} from './s3-call.js';
import { S3Error } from './s3-errors.js';
import type { Bucket, StoredObject, Upload } from './s3-state.js';
import type { SimResponse } from './service.js';
import { compareUtf8, type SortedKeys } from './sorted-keys.js';
import { s3Document, textElement, wrapElement } from './xml.js';

const pageMax = 1000;

export async function listObjectsV2(call: S3Call): Promise<SimResponse> {
  const { query } = call.request;
  const bucket = call.state.bucket(call.bucket);
  const token = query.get('continuation-token');
  const startAfter = query.get('start-after') ?? '';
  const form = listForm(call);
  const page = listPage(bucket.keys, form, token === null ? startAfter : decodeToken(token));
  const content = [
    ...pageHead(call, form),
    textElement('StartAfter', query.has('start-after') ? form.encode(startAfter) : null),
    textElement('ContinuationToken', token),
    textElement('KeyCount', page.entries.length),
    textElement('NextContinuationToken', page.isTruncated ? encodeToken(page.last) : null),
    textElement('IsTruncated', page.isTruncated),
    ...pageBody(bucket, form, page, query.get('fetch-owner') === 'true'),
  ];
  return xmlAnswer(s3Document('ListBucketResult', content.join('')));
}

export async function listObjects(call: S3Call): Promise<SimResponse> {
  const bucket = call.state.bucket(call.bucket);
  const marker = call.request.query.get('marker') ?? '';
  const form = listForm(call);
  const page = listPage(bucket.keys, form, marker);
  // Without a delimiter S3 gives no NextMarker: the last key is the next marker.
  const hasNextMarker = page.isTruncated && form.delimiter !== '';
  const content = [
    ...pageHead(call, form),
    textElement('Marker', form.encode(marker)),
    textElement('NextMarker', hasNextMarker ? form.encode(page.last) : null),
    textElement('IsTruncated', page.isTruncated),
    ...pageBody(bucket, form, page, true),
  ];
  return xmlAnswer(s3Document('ListBucketResult', content.join('')));
}

export async function listMultipartUploads(call: S3Call): Promise<SimResponse> {
  const { query } = call.request;
  call.state.bucket(call.bucket);
  const form = listForm(call, 'max-uploads');
  const keyMarker = query.get('key-marker') ?? '';
  const idMarker = query.get('upload-id-marker') ?? '';
  const behind = (upload: Upload): boolean => {
    const order = compareUtf8(upload.key, keyMarker);
    return order > 0 || (order === 0 && idMarker !== '' && upload.id > idMarker);
  };
  const found = call.state
    .uploads(call.bucket)
    .filter((upload) => upload.key.startsWith(form.prefix) && behind(upload))
    .sort((a, b) => compareUtf8(a.key, b.key) || (a.id < b.id ? -1 : 1));
  const page = found.slice(0, form.most);
  const last = found.length > page.length ? page.at(-1) : undefined;
  const content = [
    textElement('Bucket', call.bucket),
    textElement('KeyMarker', form.encode(keyMarker)),
    textElement('UploadIdMarker', idMarker),
    textElement('NextKeyMarker', last === undefined ? null : form.encode(last.key)),
    textElement('NextUploadIdMarker', last?.id),
    textElement('Prefix', form.encode(form.prefix)),
    textElement('MaxUploads', form.most),
    textElement('IsTruncated', last !== undefined),
    textElement('EncodingType', form.encodingType),
    ...page.map((upload) =>
      wrapElement(
        'Upload',
        [
          textElement('Key', form.encode(upload.key)),
          textElement('UploadId', upload.id),
          wrapElement('Initiator', textElement('ID', simulatedAccount)),
          ownerElement,
          textElement('StorageClass', 'STANDARD'),
          textElement('Initiated', isoTime(upload.startedMs)),
          textElement('ChecksumAlgorithm', upload.checksum?.algorithm),
          textElement('ChecksumType', upload.checksum?.type),
        ].join(''),
      ),
    ),
  ];
  return xmlAnswer(s3Document('ListMultipartUploadsResult', content.join('')));
}

const ownerElement: string = wrapElement('Owner', textElement('ID', simulatedAccount));

/** What a list is asked for. */
interface ListForm {
  readonly prefix: string;
  /** Empty for none. */
  readonly delimiter: string;
  readonly most: number;
  readonly encodingType: string | null;
  readonly encode: (key: string) => string;
}

function listForm(call: S3Call, mostName: string = 'max-keys'): ListForm {
  const { query } = call.request;
  const encodingType = query.get('encoding-type');
  if (encodingType !== null && encodingType !== 'url') {
    throw new S3Error(
      'InvalidArgument',
      { ArgumentName: 'encoding-type', ArgumentValue: encodingType },
      'Invalid Encoding Method specified in Request',
    );
  }
  return {
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    most: numberParameter(call, mostName, { fallback: pageMax, most: pageMax }),
    encodingType,
    encode: encodingType === null ? (key) => key : urlEncode,
  };
}

/** A key or a common prefix. */
type ListEntry =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'prefix'; readonly prefix: string };

interface ListPage {
  readonly entries: readonly ListEntry[];
  readonly isTruncated: boolean;
  /** Key or common prefix of the last entry; the next page begins behind it. */
  readonly last: string;
}

/** The keys behind `after`, those with a common part up to the delimiter as one prefix. Each of both counts as one. */
function listPage(keys: SortedKeys, form: ListForm, after: string): ListPage {
  const { prefix, delimiter, most } = form;
  const entries: ListEntry[] = [];
  let last = '';
  let key = compareUtf8(after, prefix) < 0 ? keys.first(prefix) : keys.after(after);
  // A page that ended with a common prefix goes on behind all of its keys.
  if (delimiter !== '' && key !== null) {
    const passed = commonPrefix(after, form);
    if (passed === after && key.startsWith(passed)) key = keys.firstBehind(passed);
  }
  // Every round passes at least one key, and ends when the page is full.
  while (key?.startsWith(prefix)) {
    if (entries.length === most) return { entries, isTruncated: most > 0, last };
    const common = commonPrefix(key, form);
    if (common === null) {
      entries.push({ kind: 'key', key });
      last = key;
      key = keys.after(key);
    } else {
      entries.push({ kind: 'prefix', prefix: common });
      last = common;
      key = keys.firstBehind(common);
    }
  }
  return { entries, isTruncated: false, last };
}

/** A key up to the first delimiter behind the prefix, or null when there is none. */
function commonPrefix(key: string, { prefix, delimiter }: ListForm): string | null {
  if (delimiter === '' || !key.startsWith(prefix)) return null;
  const at = key.indexOf(delimiter, prefix.length);
  return at < 0 ? null : key.slice(0, at + delimiter.length);
}

function pageHead(call: S3Call, form: ListForm): string[] {
  return [
    textElement('Name', call.bucket),
    textElement('Prefix', form.encode(form.prefix)),
    textElement('Delimiter', form.delimiter === '' ? null : form.encode(form.delimiter)),
    textElement('MaxKeys', form.most),
    textElement('EncodingType', form.encodingType),
  ];
}

function pageBody(bucket: Bucket, form: ListForm, page: ListPage, withOwner: boolean): string[] {
  const contents: string[] = [];
  const prefixes: string[] = [];
  for (const entry of page.entries) {
    if (entry.kind === 'key') {
      contents.push(objectElement(bucket.objects.get(entry.key)!, form, withOwner));
    } else {
      prefixes.push(
        wrapElement('CommonPrefixes', textElement('Prefix', form.encode(entry.prefix))),
      );
    }
  }
  return [...contents, ...prefixes];
}

function objectElement(object: StoredObject, form: ListForm, withOwner: boolean): string {
  const facts = [
    textElement('Key', form.encode(object.key)),
    textElement('LastModified', isoTime(Math.floor(object.modifiedMs / 1000) * 1000)),
    textElement('ETag', quoted(object.etag)),
    textElement('ChecksumAlgorithm', object.checksum?.algorithm),
    textElement('ChecksumType', object.checksum?.type),
    textElement('Size', object.size),
    withOwner ? ownerElement : '',
    textElement('StorageClass', object.headers['x-amz-storage-class'] ?? 'STANDARD'),
  ];
  return wrapElement('Contents', facts.join(''));
}

function encodeToken(last: string): string {
  return Buffer.from(`1${last}`, 'utf8').toString('base64');
}

function decodeToken(token: string): string {
  const text = Buffer.from(token, 'base64').toString('utf8');
  if (!text.startsWith('1')) {
    throw new S3Error(
      'InvalidArgument',
      { ArgumentName: 'continuation-token' },
      'The continuation token provided is incorrect',
    );
  }
  return text.slice(1);
}

/** Keys as S3 encodes them in lists: all but unreserved characters and slashes, a space as a plus. */
function urlEncode(key: string): string {
  return encodeURIComponent(key)
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%2F', '/')
    .replaceAll('%20', '+');
}
