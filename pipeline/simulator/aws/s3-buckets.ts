// Buckets: list, create, head, delete, and the few of their settings that clients ask for.
// Promises: S3's rules for names; a bucket with objects is not deleted.
// Source: Amazon S3 User Guide, "Bucket naming rules"; Amazon S3 API Reference, the pages of these actions.
import {
  emptyAnswer,
  isoTime,
  readBytes,
  type S3Call,
  simulatedAccount,
  simulatedRegion,
  xmlAnswer,
} from './s3-call.js';
import { S3Error } from './s3-errors.js';
import type { SimResponse } from './service.js';
import { childText, parseXml, s3Document, textElement, wrapElement } from './xml.js';

/** The region that GetBucketLocation answers with nothing for. */
const oldestRegion = 'us-east-1';

export async function listBuckets(call: S3Call): Promise<SimResponse> {
  const prefix = call.request.query.get('prefix') ?? '';
  const buckets = call.state.buckets().filter(({ name }) => name.startsWith(prefix));
  const elements = buckets.map((bucket) =>
    wrapElement(
      'Bucket',
      [
        textElement('Name', bucket.name),
        textElement('CreationDate', isoTime(bucket.createdMs)),
        textElement('BucketRegion', bucket.region),
      ].join(''),
    ),
  );
  const content = [owner, wrapElement('Buckets', elements.join(''))];
  return xmlAnswer(s3Document('ListAllMyBucketsResult', content.join('')));
}

export async function createBucket(call: S3Call): Promise<SimResponse> {
  const { bucket: name } = call;
  assertBucketName(name);
  const region = await askedRegion(call);
  const isNew = await call.state.createBucket({ name, createdMs: call.clock.nowMs(), region });
  if (!isNew) throw new S3Error('BucketAlreadyOwnedByYou', { BucketName: name });
  return emptyAnswer(200, { location: `/${name}` });
}

export async function headBucket(call: S3Call): Promise<SimResponse> {
  const { region } = call.state.bucket(call.bucket);
  return emptyAnswer(200, { 'x-amz-bucket-region': region });
}

export async function deleteBucket(call: S3Call): Promise<SimResponse> {
  await call.state.deleteBucket(call.bucket);
  return emptyAnswer(204);
}

export async function getBucketLocation(call: S3Call): Promise<SimResponse> {
  const { region } = call.state.bucket(call.bucket);
  return xmlAnswer(s3Document('LocationConstraint', region === oldestRegion ? '' : region));
}

export async function getBucketVersioning(call: S3Call): Promise<SimResponse> {
  call.state.bucket(call.bucket);
  return xmlAnswer(s3Document('VersioningConfiguration', ''));
}

export async function getBucketAcl(call: S3Call): Promise<SimResponse> {
  call.state.bucket(call.bucket);
  const grantee = `<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser">${textElement('ID', simulatedAccount)}</Grantee>`;
  const grant = wrapElement('Grant', `${grantee}${textElement('Permission', 'FULL_CONTROL')}`);
  const content = `${owner}${wrapElement('AccessControlList', grant)}`;
  return xmlAnswer(s3Document('AccessControlPolicy', content));
}

const owner: string = wrapElement('Owner', textElement('ID', simulatedAccount));

function assertBucketName(name: string): void {
  const isGood =
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) &&
    !name.includes('..') &&
    !/^\d+\.\d+\.\d+\.\d+$/.test(name) &&
    !name.startsWith('xn--');
  if (!isGood) throw new S3Error('InvalidBucketName', { BucketName: name });
}

async function askedRegion(call: S3Call): Promise<string> {
  const text = (await readBytes(call)).toString('utf8');
  if (text.trim() === '') return simulatedRegion;
  const root = parseXml(text);
  if (root?.name !== 'CreateBucketConfiguration') throw new S3Error('MalformedXML');
  const asked = childText(root, 'LocationConstraint') ?? simulatedRegion;
  if (!/^[A-Za-z0-9-]{1,32}$/.test(asked)) throw new S3Error('MalformedXML');
  return asked;
}
