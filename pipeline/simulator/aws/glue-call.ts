// One call of Glue's API: its input read, its answer or error in the JSON protocol that the SDKs speak, pages of lists.
// Promises: an error that Glue knows is an answer with its name; anything else thrown is a bug and passes.
// Source: AWS JSON 1.1 protocol; AWS Glue Web API Reference, "Actions", "Common errors".

import type { SimRequest, SimResponse } from './service.js';

/** An object of the JSON protocol. */
export type Json = Readonly<Record<string, unknown>>;

/** An error that Glue answers with. */
export class GlueFault extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = 'GlueFault';
    this.code = code;
  }
}

export function notFound(message: string): GlueFault {
  return new GlueFault('EntityNotFoundException', message);
}

export function alreadyExists(what: 'Database' | 'Table'): GlueFault {
  return new GlueFault('AlreadyExistsException', `${what} already exists.`);
}

export function invalidInput(message: string): GlueFault {
  return new GlueFault('InvalidInputException', message);
}

/** Largest body of a request, in bytes. */
const bodyBytesMax = 64 * 1024 * 1024;

/** The name of the action and its input. */
export async function readCall(
  request: SimRequest,
): Promise<{ readonly action: string; readonly input: Json }> {
  const action = /^AWSGlue\.(\w+)$/.exec(request.headers['x-amz-target'] ?? '')?.[1];
  if (action === undefined) throw new GlueFault('UnknownOperationException', 'no such action');
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of request.body) {
    length += part.length;
    if (length > bodyBytesMax) throw invalidInput('the request is too large');
    parts.push(part);
  }
  const input = parsed(Buffer.concat(parts).toString('utf8'));
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) {
    return { action, input: input as Json };
  }
  throw new GlueFault('SerializationException', 'the body is no JSON object');
}

function parsed(text: string): unknown {
  if (text === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export function answerOf(value: Json, requestId: string): SimResponse {
  return jsonResponse(200, value, { 'x-amzn-requestid': requestId });
}

export function faultAnswer(fault: GlueFault, requestId: string): SimResponse {
  const headers = { 'x-amzn-errortype': fault.code, 'x-amzn-requestid': requestId };
  return jsonResponse(400, { __type: fault.code, Message: fault.message }, headers);
}

function jsonResponse(
  status: number,
  value: Json,
  headers: Readonly<Record<string, string>>,
): SimResponse {
  const body = new TextEncoder().encode(JSON.stringify(value));
  const type = { 'content-type': 'application/x-amz-json-1.1' };
  return { status, headers: { ...type, ...headers, 'content-length': `${body.length}` }, body };
}

/** A page of names in their order, and the token of the next page. A name that came or went between two pages changes
 *  nothing for the others. Throws InvalidInputException for a token that is none of ours. */
export function pageOf(
  names: readonly string[],
  input: Json,
  most: number,
): { readonly names: readonly string[]; readonly next: { readonly NextToken?: string } } {
  const after = typeof input.NextToken === 'string' ? nameAfter(input.NextToken) : null;
  const start = after === null ? 0 : names.findIndex((name) => name > after);
  const rest = start < 0 ? [] : names.slice(start);
  const size = typeof input.MaxResults === 'number' ? input.MaxResults : most;
  const page = rest.slice(0, size);
  const next =
    rest.length > size ? { NextToken: Buffer.from(`after ${page.at(-1)}`).toString('base64') } : {};
  return { names: page, next };
}

function nameAfter(token: string): string {
  const text = Buffer.from(token, 'base64').toString('utf8');
  if (!text.startsWith('after ')) throw invalidInput('Invalid token.');
  return text.slice('after '.length);
}
