// What becomes of AWS's errors, as its documents name them.

import { describe, expect, it } from 'vitest';
import { awsError } from '../../pipeline/aws/aws-errors.js';
import { TidelakeError } from '../../schemas/errors.js';

/** An error in the SDK's form. */
function sdkError(name: string, status: number, message = 'secret item content'): Error {
  return Object.assign(new Error(message), {
    name,
    $metadata: { httpStatusCode: status, attempts: 1 },
  });
}

function told(error: unknown, action = 's3:GetObject', resource = 's3://lake/t/x'): TidelakeError {
  const found = awsError(error, { action, resource });
  expect(found).toBeInstanceOf(TidelakeError);
  return found as TidelakeError;
}

describe('an answer of AWS', () => {
  it.each([
    ['AccessDenied', 403, 'DENIED'],
    ['AccessDeniedException', 400, 'DENIED'],
    ['KMS.DisabledException', 400, 'DENIED'],
    ['403', 403, 'DENIED'],
    ['ExpiredToken', 400, 'CREDENTIALS'],
    ['ExpiredTokenException', 400, 'CREDENTIALS'],
    ['InvalidAccessKeyId', 403, 'CREDENTIALS'],
    ['SignatureDoesNotMatch', 403, 'CREDENTIALS'],
    ['RequestTimeTooSkewed', 403, 'CREDENTIALS'],
    ['UnrecognizedClientException', 400, 'CREDENTIALS'],
    ['SlowDown', 503, 'THROTTLED'],
    ['ServiceUnavailable', 503, 'THROTTLED'],
    ['ThrottlingException', 400, 'THROTTLED'],
    ['TooManyRequestsException', 429, 'THROTTLED'],
    ['NoSuchBucket', 404, 'USAGE'],
    ['PermanentRedirect', 301, 'USAGE'],
    ['AuthorizationHeaderMalformed', 400, 'USAGE'],
    ['InvalidObjectState', 403, 'REFUSED_INPUT_GONE'],
    ['InternalError', 500, 'SERVICE_FAILED'],
    ['MadeUpTomorrow', 418, 'SERVICE_FAILED'],
  ])('%s (%i) is %s, and its message is not told', (name, status, code) => {
    const error = told(sdkError(name, status));
    expect(error.code).toBe(code);
    expect(JSON.stringify(error.facts())).not.toContain('secret');
  });

  it.each(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EPIPE', 'CERT_HAS_EXPIRED'])(
    'that never came (%s) is SERVICE_FAILED',
    (code) => {
      expect(told(Object.assign(new Error('x'), { code })).code).toBe('SERVICE_FAILED');
    },
  );

  it('without credentials is CREDENTIALS', () => {
    const error = Object.assign(new Error('none'), { name: 'CredentialsProviderError' });
    expect(told(error).code).toBe('CREDENTIALS');
  });

  it('that names a lacking right is told with that right, a key, a role, but no path of an object', () => {
    const kms = sdkError(
      'AccessDenied',
      403,
      'User: arn:aws:sts::1:assumed-role/x is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:eu-west-1:123456789012:key/abc because no policy allows it',
    );
    expect(told(kms).what).toContain('kms:Decrypt on arn:aws:kms:eu-west-1:123456789012:key/abc');
    const list = sdkError(
      'AccessDenied',
      403,
      'User: arn:aws:iam::1:user/x is not authorized to perform: s3:ListBucket on resource: "arn:aws:s3:::lake/clientid=Jane"',
    );
    const error = told(list, 's3:GetObject', 's3://lake/t/data/clientid=Jane/f.parquet');
    expect(error.what).toContain('s3:ListBucket on s3://lake/t/data/…/f.parquet');
    expect(JSON.stringify(error.facts())).not.toContain('Jane');
  });

  it.each([
    [
      "at 'tableInput.storageDescriptor.columns.3.member.type'",
      'have length less than or equal to 131072',
    ],
    ["at 'tableInput.name'", 'have length less than or equal to 255'],
  ])('that something is too large for Glue names it and the limit: %s', (at, must) => {
    const text = `1 validation error detected: Value 'secret' ${at} failed to satisfy constraint: Member must ${must}`;
    const error = told(
      sdkError('ValidationException', 400, text),
      'glue:UpdateTable',
      'shop.orders',
    );
    expect(error.code).toBe('REFUSED_LIMIT');
    expect(error.what).toContain(`glue:UpdateTable on shop.orders`);
    expect(error.what).toContain(must);
    expect(error.what).toContain(at.slice(4, -1));
    expect(JSON.stringify(error.facts())).not.toContain('secret');
  });

  it.each([
    [
      'ValidationException',
      "Value 'x' at 'tableInput.secret' failed to satisfy constraint: Member must not be null",
    ],
    [
      'ValidationException',
      "Value 'secret' at 'tableInput.name' failed to satisfy constraint: Member must satisfy regular expression pattern: [secret]",
    ],
    ['InvalidInputException', 'secret is not valid'],
  ])('that Glue does not take it (%s) is a defect, and no value is told', (name, text) => {
    const error = told(sdkError(name, 400, text), 'glue:CreateTable', 'shop.orders');
    expect(error.code).toBe('INTERNAL');
    expect(error.what).toContain('glue:CreateTable on shop.orders');
    expect(JSON.stringify(error.facts())).not.toContain('secret');
  });

  it('that a quota of Glue is used up is no fault of the service', () => {
    const error = sdkError('ResourceNumberLimitExceededException', 400);
    expect(told(error, 'glue:CreateTable', 'shop.orders').code).toBe('REFUSED_LIMIT');
    expect(told(error).code).toBe('SERVICE_FAILED');
  });

  it('is left alone when it is no answer of AWS', () => {
    const bug = new TypeError('x is not a function');
    expect(awsError(bug, { action: 's3:GetObject', resource: 's3://a/b' })).toBe(bug);
    const ours = new TidelakeError({ code: 'USAGE', what: 'w', meaning: 'm', next: 'n' });
    expect(awsError(ours, { action: 's3:GetObject', resource: 's3://a/b' })).toBe(ours);
  });
});
