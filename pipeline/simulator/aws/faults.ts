// Which requests go wrong: a fault plan at work, and the answers it gives in a service's place.
// Promises: the same plan and the same requests, in the same order per rule, fail in the same way.
// Source: none; what can go wrong is what S3 and Glue were seen to do.
import { Random } from '../random.js';
import type { DescribedRequest } from './describe-request.js';
import type { Fault, FaultPlan, FaultRule } from './fault-plan.js';
import { hostId, s3ErrorDefaults, s3ErrorDocument } from './s3-errors.js';
import type { SimResponse } from './service.js';

/** How often a rule met its requests, and how often it fired. */
export interface FaultRuleUse {
  readonly rule: FaultRule;
  readonly matched: number;
  readonly fired: number;
}

/** A plan at work: counts requests per rule. Of the rules that fire, the first decides. */
export class FaultInjector {
  readonly #rules: readonly CountedRule[];

  constructor(plan: FaultPlan) {
    this.#rules = plan.rules.map(
      (rule, index) => new CountedRule(rule, `${plan.seed ?? 1}/${index}`),
    );
  }

  /** The fault of this request, or null. Each call counts one request. */
  decide(request: DescribedRequest): Fault | null {
    let decided: Fault | null = null;
    // Every rule counts every request, so that one rule's counts do not depend on another's luck.
    for (const rule of this.#rules) {
      if (rule.meets(request) && decided === null) {
        decided = rule.rule.do;
        rule.fired += 1;
      }
    }
    return decided;
  }

  uses(): readonly FaultRuleUse[] {
    return this.#rules.map(({ rule, matched, fired }) => ({ rule, matched, fired }));
  }
}

class CountedRule {
  readonly rule: FaultRule;
  matched = 0;
  fired = 0;
  readonly #random: Random;
  readonly #key: RegExp | null;

  constructor(rule: FaultRule, seed: string) {
    this.rule = rule;
    this.#random = new Random(seed, 'faults');
    this.#key = rule.key === undefined ? null : globPattern(rule.key);
  }

  /** Counts a request if it is one of the rule's, and says whether the rule fires on it. */
  meets(request: DescribedRequest): boolean {
    const { service, operation, bucket, nth, every, from, to, probability } = this.rule;
    const isMine =
      isAmong(request.service, service) &&
      isAmong(request.operation, operation) &&
      (bucket === undefined || request.bucket === bucket) &&
      (this.#key === null || (request.key !== null && this.#key.test(request.key)));
    if (!isMine) return false;
    this.matched += 1;
    const number = this.matched;
    // Drawn for every match, so that a hit depends on its number alone.
    const draw = this.#random.next() / 2 ** 32;
    return (
      (nth === undefined || number === nth) &&
      (every === undefined || number % every === 0) &&
      (from === undefined || number >= from) &&
      (to === undefined || number <= to) &&
      (probability === undefined || draw < probability)
    );
  }
}

function isAmong(name: string, wanted: string | readonly string[] | undefined): boolean {
  return wanted === undefined || (typeof wanted === 'string' ? [wanted] : wanted).includes(name);
}

function globPattern(glob: string): RegExp {
  const source = glob.replace(/[\\^$.*+?()[\]{}|]/g, (c) =>
    c === '*' ? '.*' : c === '?' ? '.' : `\\${c}`,
  );
  return new RegExp(`^${source}$`, 'su');
}

/** The answer of an `error` or `errorIn200`, in the form of the service it comes from. */
export function faultAnswer(
  request: DescribedRequest & { readonly method: string },
  fault: Extract<Fault, { fault: 'error' | 'errorIn200' }>,
): SimResponse {
  const requestId = 'FAULTFAULTFAULT0';
  const isS3 = request.service === 's3';
  const defaults = isS3 ? s3ErrorDefaults(fault.code) : jsonErrorDefaults(fault.code);
  const message = fault.message ?? defaults.message;
  const status = fault.fault === 'errorIn200' ? 200 : (fault.status ?? defaults.status);
  if (!isS3) {
    return {
      status,
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': requestId },
      body: Buffer.from(JSON.stringify({ __type: fault.code, message, Message: message })),
    };
  }
  const document = s3ErrorDocument({ code: fault.code, message, details: {}, requestId });
  return {
    status,
    headers: {
      'content-type': 'application/xml',
      'x-amz-request-id': requestId,
      'x-amz-id-2': hostId(requestId),
    },
    body: request.method === 'HEAD' ? new Uint8Array(0) : Buffer.from(document),
  };
}

/** Codes of JSON services that are not the caller's fault. */
const serverErrors: Readonly<Record<string, number>> = {
  InternalServiceException: 500,
  InternalServerException: 500,
  InternalServerError: 500,
  InternalFailure: 500,
  InternalError: 500,
  ServiceUnavailable: 503,
};

function jsonErrorDefaults(code: string): { readonly status: number; readonly message: string } {
  return { status: serverErrors[code] ?? 400, message: code };
}

/** An answer whose ETag, in its headers and in its XML, is of other bytes. */
export function withWrongEtag(answer: SimResponse): SimResponse {
  const wrong = '0123456789abcdef0123456789abcdef';
  const headers: Record<string, string> = { ...answer.headers };
  if (headers.etag !== undefined) headers.etag = `"${wrong}"`;
  if (!(answer.body instanceof Uint8Array)) return { ...answer, headers };
  const text = Buffer.from(answer.body).toString('utf8');
  const changed = text.replace(/<ETag>[^<]*<\/ETag>/g, `<ETag>&quot;${wrong}&quot;</ETag>`);
  return { ...answer, headers, body: Buffer.from(changed) };
}
