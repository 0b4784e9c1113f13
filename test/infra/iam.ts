// A small evaluator of IAM policies, so that tests can ask what a role may do.
// Promises: an explicit deny wins, nothing is allowed that no statement allows, and an element or operator that is not
// understood is an error, never a guess. Knows what our policies use, and no more.
// Source: IAM User Guide, "Policy evaluation logic", "IAM JSON policy elements: Condition operators".

export interface Statement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal?: unknown;
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** What is asked: an action on a resource, with the keys of the request's context that AWS would know. */
export interface IamRequest {
  readonly action: string;
  readonly resource: string;
  readonly context?: Readonly<Record<string, string>>;
}

export type Verdict = 'allowed' | 'denied' | 'not allowed';

/** The verdict over statements of one account (identity policies, and a bucket policy, together). */
export function verdictOf(statements: readonly Statement[], request: IamRequest): Verdict {
  let verdict: Verdict = 'not allowed';
  for (const statement of statements) {
    if (!appliesTo(statement, request)) continue;
    if (statement.Effect === 'Deny') return 'denied';
    verdict = 'allowed';
  }
  return verdict;
}

function appliesTo(statement: Statement, request: IamRequest): boolean {
  const known = ['Sid', 'Effect', 'Principal', 'Action', 'Resource', 'Condition'];
  const strange = Object.keys(statement).filter((name) => !known.includes(name));
  if (strange.length > 0) throw new Error(`no such element here: ${strange.join(', ')}`);
  const isAction = list(statement.Action).some((one) =>
    like(one.toLowerCase(), request.action.toLowerCase()),
  );
  if (!isAction || !list(statement.Resource).some((one) => like(one, request.resource))) {
    return false;
  }
  return Object.entries(statement.Condition ?? {}).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) =>
      holds(operator, list(wanted).map(String), request.context?.[key]),
    ),
  );
}

function holds(operator: string, wanted: readonly string[], value: string | undefined): boolean {
  if (operator === 'Null') return (value === undefined) === (wanted[0] === 'true');
  // A negated operator is true for a key that is not there; all others are false.
  if (operator === 'StringNotEquals') return value === undefined || !wanted.includes(value);
  if (value === undefined) return false;
  switch (operator) {
    case 'Bool':
    case 'StringEquals':
      return wanted.includes(value);
    case 'StringLike':
    case 'ArnLike':
      return wanted.some((one) => like(one, value));
    case 'NumericLessThan':
      return wanted.some((one) => Number(value) < Number(one));
    default:
      throw new Error(`no such operator here: ${operator}`);
  }
}

function like(pattern: string, text: string): boolean {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's').test(text);
}

function list<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [value as T];
}
