// One call of Athena's API: its input checked, its answer or error in the JSON protocol that the SDKs speak.
// Promises: an error that Athena knows is an answer with its name; anything else thrown is a bug and passes.
// Source: Amazon Athena API Reference, "Actions" (lengths and patterns); AWS JSON 1.1 protocol.

import { z } from 'zod';
import type { SimRequest, SimResponse } from './service.js';

/** An error that Athena answers with. */
export class AthenaFault extends Error {
  readonly code: string;
  readonly status: number;
  readonly more: Readonly<Record<string, unknown>>;
  constructor(code: string, message: string, status = 400, more: Record<string, unknown> = {}) {
    super(message);
    this.name = 'AthenaFault';
    this.code = code;
    this.status = status;
    this.more = more;
  }
}

export function invalid(message: string, athenaErrorCode = 'INVALID_INPUT'): AthenaFault {
  return new AthenaFault('InvalidRequestException', message, 400, {
    AthenaErrorCode: athenaErrorCode,
  });
}

export function notFound(message: string, resource: string): AthenaFault {
  return new AthenaFault('ResourceNotFoundException', message, 400, { ResourceName: resource });
}

/** The forms of Athena's inputs. */
export const form: {
  readonly [name in
    | 'workGroup'
    | 'queryString'
    | 'description'
    | 'queryName'
    | 'statementName'
    | 'database'
    | 'id'
    | 'token'
    | 'nextToken']: z.ZodType<string>;
} = {
  workGroup: z.string().regex(/^[a-zA-Z0-9._-]{1,128}$/),
  queryString: z.string().min(1).max(262_144),
  description: z.string().min(1).max(1024),
  queryName: z.string().min(1).max(128),
  statementName: z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_@:]{1,256}$/),
  database: z.string().min(1).max(255),
  id: z.string().regex(/^\S{1,128}$/),
  token: z.string().min(32).max(128),
  nextToken: z.string().min(1).max(1024),
};

/** Literals, as text, in order of the `?`. */
export const parametersForm: z.ZodType<readonly string[]> = z
  .array(z.string().min(1).max(1024))
  .min(1);

/** How many results a page may have. */
export function pageForm(most: number): z.ZodType<number> {
  return z.number().int().min(1).max(most);
}

/** Checks a call's input. Throws InvalidRequestException naming the member. */
export function checked<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  throw invalid(
    `1 validation error detected: Value at '${issue.path.join('.')}' failed to satisfy constraint: ${issue.message}`,
  );
}

/** A page of a list, and the token of the next one. */
export function pageOf<T>(
  all: readonly T[],
  input: { readonly NextToken?: string | undefined; readonly MaxResults?: number | undefined },
  most: number,
): { readonly items: readonly T[]; readonly next: { readonly NextToken?: string } } {
  const start = input.NextToken === undefined ? 0 : offsetOf(input.NextToken);
  const end = start + (input.MaxResults ?? most);
  return {
    items: all.slice(start, end),
    next: end < all.length ? { NextToken: Buffer.from(`at ${end}`).toString('base64') } : {},
  };
}

function offsetOf(token: string): number {
  const found = /^at (\d{1,15})$/.exec(Buffer.from(token, 'base64').toString('latin1'));
  if (found === null)
    throw invalid('The pagination token is not valid', 'INVALID_PAGINATION_TOKEN');
  return Number(found[1]);
}

/** Largest body of a request, in bytes: the longest query, escaped, with room. */
const bodyBytesMax = 4 * 1024 * 1024;

/** The name of the action and its input. */
export async function readCall(
  request: SimRequest,
): Promise<{ readonly action: string; readonly input: unknown }> {
  const action = /^AmazonAthena\.(\w+)$/.exec(request.headers['x-amz-target'] ?? '')?.[1];
  if (action === undefined) throw new AthenaFault('UnknownOperationException', 'no such action');
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of request.body) {
    length += part.length;
    if (length > bodyBytesMax) throw new AthenaFault('RequestEntityTooLarge', 'too large', 413);
    parts.push(part);
  }
  try {
    const text = Buffer.concat(parts).toString('utf8');
    return { action, input: text === '' ? {} : (JSON.parse(text) as unknown) };
  } catch {
    throw new AthenaFault('SerializationException', 'the body is no JSON');
  }
}

export function answerOf(value: unknown, requestId: string): SimResponse {
  return jsonResponse(200, value, { 'x-amzn-requestid': requestId });
}

export function faultAnswer(fault: AthenaFault, requestId: string): SimResponse {
  const body = { __type: fault.code, Message: fault.message, ...fault.more };
  const headers = { 'x-amzn-errortype': fault.code, 'x-amzn-requestid': requestId };
  return jsonResponse(fault.status, body, headers);
}

function jsonResponse(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>>,
): SimResponse {
  const body = new TextEncoder().encode(JSON.stringify(value ?? {}));
  const type = { 'content-type': 'application/x-amz-json-1.1' };
  return { status, headers: { ...type, ...headers, 'content-length': `${body.length}` }, body };
}
