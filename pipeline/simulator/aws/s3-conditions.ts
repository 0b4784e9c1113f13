// Conditional requests: If-Match and its kin, for reads, for writes, and for the source of a copy.
// Promises: 304 and 412 where S3 gives them, and 404 for If-Match on an object that is gone.
// Source: Amazon S3 User Guide, "Add preconditions to S3 operations with conditional requests"; RFC 9110 section 13.
import { S3Error } from './s3-errors.js';
import type { StoredObject, WriteCheck } from './s3-state.js';

type Headers = Readonly<Record<string, string>>;

/** Whether a read goes on: 'unmodified' is a 304. Throws PreconditionFailed. */
export function checkRead(headers: Headers, object: StoredObject): 'changed' | 'unmodified' {
  const ifMatch = headers['if-match'];
  const ifNoneMatch = headers['if-none-match'];
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, object.etag)) throw failed('If-Match');
  } else if (isModifiedSince(object, headers['if-unmodified-since']) === true) {
    throw failed('If-Unmodified-Since');
  }
  if (ifNoneMatch !== undefined) {
    return matches(ifNoneMatch, object.etag) ? 'unmodified' : 'changed';
  }
  return isModifiedSince(object, headers['if-modified-since']) === false ? 'unmodified' : 'changed';
}

/** The conditions on the source of a copy, which all fail with 412. */
export function checkCopySource(headers: Headers, object: StoredObject): void {
  const own: Record<string, string> = {};
  for (const name of ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since']) {
    const value = headers[`x-amz-copy-source-${name}`];
    if (value !== undefined) own[name] = value;
  }
  if (checkRead(own, object) === 'unmodified') throw failed('x-amz-copy-source-If-None-Match');
}

/**
 * The check a write makes of the object that is there, at the moment of publishing.
 * Throws NotImplemented for an If-None-Match other than `*`, as S3 does.
 */
export function writeCheck(headers: Headers, key: string): WriteCheck {
  const ifMatch = headers['if-match'];
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*') {
    throw new S3Error('NotImplemented', { Header: 'If-None-Match' });
  }
  return (current) => {
    if (ifNoneMatch === '*' && current !== null) throw failed('If-None-Match');
    if (ifMatch === undefined) return;
    if (current === null) throw new S3Error('NoSuchKey', { Key: key });
    if (!matches(ifMatch, current.etag)) throw failed('If-Match');
  };
}

/** Whether a list of ETags, quoted or not, has this one; `*` has all. */
function matches(list: string, etag: string): boolean {
  return list.split(',').some((each) => {
    const wanted = each.trim().replace(/^W\//, '').replace(/^"|"$/g, '');
    return wanted === '*' || wanted === etag;
  });
}

/** Whether an object is newer than a date, which has whole seconds; null for no date, or one that cannot be read. */
function isModifiedSince(object: StoredObject, date: string | undefined): boolean | null {
  const ms = date === undefined ? Number.NaN : Date.parse(date);
  return Number.isNaN(ms) ? null : Math.floor(object.modifiedMs / 1000) * 1000 > ms;
}

function failed(condition: string): S3Error {
  return new S3Error('PreconditionFailed', { Condition: condition });
}
