// URIs of objects in S3 and their buckets and keys.
// Promises: nothing is percent-decoded, as everywhere in a lake: keys are the text after the bucket, as it stands.
// Source: Amazon S3 User Guide, "Bucket naming rules", "Naming Amazon S3 objects".

import { TidelakeError } from '../../schemas/errors.js';

export interface S3Place {
  readonly bucket: string;
  readonly key: string;
}

/** Bucket and key of `s3://bucket/key`; s3a and s3n, as Hadoop writes, are the same. Throws USAGE for what is none. */
export function parseS3Uri(uri: string): S3Place {
  const found = /^s3[an]?:\/\/([A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9])(?:\/([\s\S]*))?$/.exec(
    uri,
  );
  if (found !== null) return { bucket: found[1]!, key: found[2] ?? '' };
  throw new TidelakeError({
    code: 'USAGE',
    what: 'a place in S3 was named that is no s3://bucket/key',
    meaning: 'nothing was read or written',
    next: 'name it as s3://bucket/prefix',
  });
}

/** The prefix of all keys below a folder: '' for a bucket, else with a slash at the end. */
export function folderPrefix(key: string): string {
  const folder = key.replace(/\/+$/, '');
  return folder === '' ? '' : `${folder}/`;
}
