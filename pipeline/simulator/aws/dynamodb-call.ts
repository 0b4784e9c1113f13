// One call of DynamoDB's API: its input read, its answer or error in the JSON protocol that the SDKs speak.
// Promises: an error that DynamoDB knows is an answer with its name; anything else thrown is a bug and passes. No message
// has an item's content.
// Source: AWS JSON 1.0 protocol; Amazon DynamoDB Developer Guide, "DynamoDB low-level API" and "Error handling with DynamoDB".

import { crc32 } from 'node:zlib';
import type { SimRequest, SimResponse } from './service.js';

/** An object of the JSON protocol. */
export type Json = Readonly<Record<string, unknown>>;

/** An error that DynamoDB answers with. */
export class DynamoDbFault extends Error {
  readonly code: string;
  /** Members of the error besides its message. */
  readonly members: Json;
  constructor(code: string, message: string, members: Json = {}) {
    super(message);
    this.name = 'DynamoDbFault';
    this.code = code;
    this.members = members;
  }
}

/** A request that breaks a rule. */
export function invalid(message: string): DynamoDbFault {
  return new DynamoDbFault('ValidationException', message);
}

/** A request that AWS might understand and the simulator does not. */
export function notSimulated(what: string): DynamoDbFault {
  return invalid(`the simulator does not take ${what}`);
}

/** A name breaks one of the constraints of the API's model. */
export function constraint(member: string, rule: string): DynamoDbFault {
  return invalid(
    `1 validation error detected: Value at '${member}' failed to satisfy constraint: ${rule}`,
  );
}

/** Largest body of a request: BatchWriteItem takes 16 MB. */
const bodyBytesMax = 16 * 1024 * 1024;

/** The name of the action and its input. */
export async function readCall(
  request: SimRequest,
): Promise<{ readonly action: string; readonly input: Json }> {
  const target = request.headers['x-amz-target'] ?? '';
  const action = /^DynamoDB_20120810\.(\w+)$/.exec(target)?.[1];
  if (action === undefined) throw new DynamoDbFault('UnknownOperationException', '');
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of request.body) {
    length += part.length;
    if (length > bodyBytesMax) throw invalid('Request body is too large');
    parts.push(part);
  }
  const input = parsed(Buffer.concat(parts).toString('utf8'));
  if (isObject(input)) return { action, input };
  throw new DynamoDbFault('SerializationException', 'the body is no JSON object');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export function answerOf(value: Json, requestId: string): SimResponse {
  return response(200, value, requestId);
}

/** Names of errors that any AWS service may give stand in another name space than DynamoDB's own. */
const commonSpaces: Readonly<Record<string, string>> = {
  ValidationException: 'com.amazon.coral.validate#',
  SerializationException: 'com.amazon.coral.service#',
  UnknownOperationException: 'com.amazon.coral.service#',
};

export function faultAnswer(fault: DynamoDbFault, requestId: string): SimResponse {
  const space = commonSpaces[fault.code] ?? 'com.amazonaws.dynamodb.v20120810#';
  const { code, message, members } = fault;
  return response(400, { __type: `${space}${code}`, message, ...members }, requestId);
}

function response(status: number, value: Json, requestId: string): SimResponse {
  const body = Buffer.from(JSON.stringify(value), 'utf8');
  return {
    status,
    headers: {
      server: 'Server',
      'content-type': 'application/x-amz-json-1.0',
      'content-length': `${body.length}`,
      'x-amzn-requestid': requestId.replaceAll('-', '').toUpperCase(),
      // Of the body; SDKs of other languages compare it.
      'x-amz-crc32': `${crc32(body)}`,
    },
    body,
  };
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A text of the input, or null when it is not given. Throws SerializationException for anything else. */
export function textIn(input: Json, member: string): string | null {
  return memberIn(input, member, (value): value is string => typeof value === 'string');
}

/** A text that must be given. Throws ValidationException. */
export function neededText(input: Json, member: string): string {
  const value = textIn(input, member);
  if (value === null || value === '') {
    throw constraint(lowerFirst(member), 'Member must not be null');
  }
  return value;
}

export function numberIn(input: Json, member: string): number | null {
  return memberIn(input, member, (value): value is number => typeof value === 'number');
}

/** A whole number between two bounds, or null. Throws ValidationException beyond them. */
export function boundedIn(input: Json, member: string, least: number, most: number): number | null {
  const value = numberIn(input, member);
  if (value === null) return null;
  const name = lowerFirst(member);
  if (value < least)
    throw constraint(name, `Member must have value greater than or equal to ${least}`);
  if (value > most) throw constraint(name, `Member must have value less than or equal to ${most}`);
  return Math.trunc(value);
}

export function flagIn(input: Json, member: string): boolean | null {
  return memberIn(input, member, (value): value is boolean => typeof value === 'boolean');
}

export function objectIn(input: Json, member: string): Json | null {
  return memberIn(input, member, isObject);
}

export function listIn(input: Json, member: string): readonly unknown[] | null {
  return memberIn(input, member, (value): value is readonly unknown[] => Array.isArray(value));
}

/** One of the words of an enumeration, or null. Throws ValidationException for another word. */
export function wordIn<T extends string>(
  input: Json,
  member: string,
  words: readonly T[],
): T | null {
  const value = textIn(input, member);
  if (value === null) return null;
  const word = words.find((each) => each === value);
  if (word === undefined) {
    const set = [...words].sort().join(', ');
    throw constraint(lowerFirst(member), `Member must satisfy enum value set: [${set}]`);
  }
  return word;
}

function memberIn<T>(
  input: Json,
  member: string,
  isRight: (value: unknown) => value is T,
): T | null {
  const value = Object.hasOwn(input, member) ? input[member] : null;
  if (value === undefined || value === null) return null;
  if (isRight(value)) return value;
  throw new DynamoDbFault('SerializationException', `${member} has the wrong type`);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
