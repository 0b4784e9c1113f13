// What AWS answers when it does not do what it was asked, in Tidelake's words.
// Promises: decided by code and status, never by message; of AWS's own text only an action and the name of a key or role
// are taken over. Folders of partitions are named after values, so they are not shown.
// Source: Amazon S3 API Reference, "Error responses"; AWS General Reference, "Common errors"; SDK error classes.

import { type ErrorFacts, TidelakeError } from '../../schemas/errors.js';

/** What was asked of AWS. */
export interface AwsRequest {
  /** As policies name it, e.g. `s3:GetObject`. */
  readonly action: string;
  /** A URI or ARN, or a name. */
  readonly resource: string;
}

/** The parts of an SDK error that decide. */
export interface AwsFault {
  /** `NoSuchKey`, `AccessDenied`, …; HEAD answers have no code, and the SDK calls them by their status. */
  readonly code: string;
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** Tries of the request, the first one counted. */
  readonly tries: number;
}

const throttlingCodes = new Set([
  'BandwidthLimitExceeded',
  'EC2ThrottledException',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'ServiceUnavailable',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
]);

const credentialCodes = new Set([
  'AuthFailure',
  'CredentialsError',
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'IncompleteSignature',
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'InvalidToken',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'RequestExpired',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch',
  'TokenProviderError',
  'TokenRefreshRequired',
  'UnrecognizedClientException',
]);

/** Answers that name another region than the one asked. */
const regionCodes = new Set([
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
  'PermanentRedirect',
  'TemporaryRedirect',
]);

/** Glue's answers to a request that is not as it wants it, and to one that would be too much for the account. */
const invalidCodes = new Set(['InvalidInputException', 'ValidationException']);
const quotaCodes = new Set(['ResourceNumberLimitExceededException']);

/** Members of Glue's requests. Its messages quote values beside them, which may be content: only these words are told. */
const glueMembers: readonly string[] = [
  ...[
    'catalogId',
    'databaseInput',
    'databaseName',
    'tableInput',
    'versionId',
    'name',
    'description',
  ],
  ...[
    'locationUri',
    'owner',
    'retention',
    'storageDescriptor',
    'columns',
    'type',
    'comment',
    'location',
  ],
  ...['inputFormat', 'outputFormat', 'serdeInfo', 'partitionKeys', 'tableType', 'parameters'],
  ...['key', 'value', 'member'],
];

/** Reads an error that the SDK threw; null for one that is not from AWS or the network. */
export function faultOf(error: unknown): AwsFault | null {
  if (!(error instanceof Error) || error instanceof TidelakeError) return null;
  const { $metadata, Code, code } = error as {
    readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
    readonly Code?: unknown;
    readonly code?: unknown;
  };
  const isNetwork =
    typeof code === 'string' &&
    /^(E[A-Z_]+|ERR_(SSL|TLS|HTTP|SOCKET)\w*|CERT_\w+|\w*CERT\w*)$/.test(code);
  const isOfSdk =
    $metadata !== undefined || isNetwork || /^(TimeoutError|AbortError)$/.test(error.name);
  if (!isOfSdk && !credentialCodes.has(error.name)) return null;
  const name = [Code, isNetwork ? code : error.name].find(
    (one): one is string => typeof one === 'string' && /^[A-Za-z0-9_.]{1,64}$/.test(one),
  );
  return {
    code: name ?? 'Unknown',
    status: $metadata?.httpStatusCode ?? 0,
    tries: $metadata?.attempts ?? 1,
  };
}

/** Whether AWS asked for fewer requests. */
export function isThrottling({ code, status }: AwsFault): boolean {
  return (
    throttlingCodes.has(code) || status === 429 || (status === 503 && code !== 'InternalError')
  );
}

/** Whether the same request may well succeed a little later: no answer, or an error of the service itself. */
export function isTransient({ code, status }: AwsFault): boolean {
  if (credentialCodes.has(code)) return false;
  return status === 0 || status >= 500 || code === 'RequestTimeout' || code === 'InternalError';
}

/**
 * The error to throw for one that the SDK threw: CREDENTIALS, DENIED, THROTTLED, USAGE (a bucket or region that is wrong),
 * REFUSED_INPUT_GONE (an archived object), REFUSED_LIMIT (too large for Glue, or a quota), INTERNAL (what Glue does not take
 * as valid), or SERVICE_FAILED. What is not from AWS passes unchanged.
 */
export function awsError(error: unknown, request: AwsRequest): unknown {
  const fault = faultOf(error);
  if (fault === null) return regionMissing(error) ?? error;
  return new TidelakeError(factsOf(error as Error, fault, request), { cause: error });
}

function factsOf(error: Error, fault: AwsFault, request: AwsRequest): ErrorFacts {
  const asked = `${request.action} on ${shown(request.resource)}`;
  const { code, status } = fault;
  const meaning = 'nothing was committed; the lake is as it was';
  if (credentialCodes.has(code)) {
    return {
      code: 'CREDENTIALS',
      what: `AWS did not take the credentials for ${asked} (${code})`,
      meaning,
      next: 'renew them (aws sso login, AWS_PROFILE, --profile, --role-arn; for a skewed clock, set it), then run the same command again',
    };
  }
  if (isThrottling(fault)) {
    return {
      code: 'THROTTLED',
      what: `AWS asked to slow down for longer than retries last: ${asked} (${code})`,
      meaning,
      next: 'run the same command again later, with a smaller --threads if it stays',
    };
  }
  if (regionCodes.has(code)) {
    return {
      code: 'USAGE',
      what: `${shown(request.resource)} is in another region (${code})`,
      meaning,
      next: 'name its region with --region',
    };
  }
  if (code === 'NoSuchBucket') {
    return {
      code: 'USAGE',
      what: `there is no bucket for ${shown(request.resource)}`,
      meaning,
      next: 'name a bucket that exists, or make it first',
    };
  }
  if (code === 'InvalidObjectState') {
    return {
      code: 'REFUSED_INPUT_GONE',
      what: `${shown(request.resource)} is archived and cannot be read as it lies`,
      meaning,
      next: 'restore it from its archive storage class, then run the same command again',
    };
  }
  if (status === 403 || /^(AccessDenied|Forbidden|AllAccessDisabled|KMS)/.test(code)) {
    return denied(error, request, meaning);
  }
  if (request.action.startsWith('glue:') && quotaCodes.has(code)) {
    return {
      code: 'REFUSED_LIMIT',
      what: `${asked} would go beyond a quota of the account (${code})`,
      meaning,
      next: 'raise the quota of AWS Glue in Service Quotas, or remove tables that nobody needs; then run the same command again',
    };
  }
  if (request.action.startsWith('glue:') && invalidCodes.has(code))
    return invalid(error, asked, code);
  return {
    code: 'SERVICE_FAILED',
    what: `no sound answer to ${asked} (${code}${status === 0 ? '' : `, status ${status}`}, ${fault.tries} tries)`,
    meaning,
    next: 'see whether the endpoint can be reached and AWS is well, then run the same command again',
  };
}

/** Glue names the member and what it must be: `Value at 'tableInput.name' failed to satisfy constraint: Member must …`. */
function invalid(error: Error, asked: string, code: string): ErrorFacts {
  const found =
    /at '([A-Za-z]{1,40}(?:\.[A-Za-z0-9]{1,40}){0,12})' failed to satisfy constraint: Member must (not be null|have (?:length|value) (?:less|greater) than or equal to \d{1,12}|satisfy)/.exec(
      error.message,
    );
  const path = found?.[1]?.split('.') ?? [];
  const isKnown =
    found !== null && path.every((one) => /^\d+$/.test(one) || glueMembers.includes(one));
  const bound = found?.[2] === 'satisfy' ? 'be of another form' : found?.[2];
  const detail = isKnown
    ? `${found[1]} must ${bound}`
    : 'its message is not shown, it may quote content';
  const meaning = 'nothing was committed; the lake is as it was';
  if (isKnown && bound!.includes('less than')) {
    return {
      code: 'REFUSED_LIMIT',
      what: `Glue takes nothing so large: ${asked} (${code}: ${detail})`,
      meaning,
      next: 'where it is a name or a location, choose a shorter --database, --table or --lake; else report it, with the member named',
    };
  }
  return {
    code: 'INTERNAL',
    what: `Glue does not take what it was sent: ${asked} (${code}: ${detail})`,
    meaning,
    next: 'check --database and --table; else run again with TIDELAKE_DEBUG=1 and report what it prints, after reading it',
  };
}

function denied(error: Error, request: AwsRequest, meaning: string): ErrorFacts {
  // Newer answers say what is lacking, which may be another action than the one asked: a key's, or a role's.
  const text = error.message;
  const action = /not authorized to perform: ([a-z0-9-]{1,40}:[A-Za-z0-9]{1,80})/.exec(text)?.[1];
  const other = /on (?:the )?resource: "?(arn:aws[a-z-]*:(?:kms|iam|sts):[\w:/+=,.@-]{1,300})/.exec(
    text,
  )?.[1];
  const lacking = `${action ?? request.action} on ${other ?? shown(request.resource)}`;
  // Without the right to list, S3 does not tell what is missing from what is forbidden.
  const mayBeMissing = request.action === 's3:GetObject' && action === undefined;
  return {
    code: 'DENIED',
    what: `AWS denies ${lacking}${mayBeMissing ? ', or there is no such object and s3:ListBucket is not allowed' : ''}`,
    meaning,
    next: `allow it to this role, in its policy, the bucket's or the key's, and check --expected-bucket-owner; then run the same command again`,
  };
}

/** The SDK throws a plain error when no region is named anywhere. */
function regionMissing(error: unknown): TidelakeError | null {
  if (!(error instanceof Error) || error.message !== 'Region is missing') return null;
  return new TidelakeError({
    code: 'USAGE',
    what: 'no AWS region is named',
    meaning: 'nothing was read or written',
    next: 'name it with --region, AWS_REGION, or "aws": { "region": … } in tidelake.config.json',
  });
}

/** A resource without what may be content: `name=value` folders hold values of keys. */
export function shown(resource: string): string {
  return resource.replace(/(^|\/)[^/=]+=[^/]*/g, '$1…').slice(0, 300);
}
