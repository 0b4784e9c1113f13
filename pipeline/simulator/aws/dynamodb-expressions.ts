// DynamoDB's expressions, read: conditions, filters, key conditions, projections and updates.
// Promises: what is read is understood whole; a name or value that is missing or not used is refused as DynamoDB does.
// Source: Amazon DynamoDB Developer Guide, "Using expressions in DynamoDB".

import type { AttributeValue } from '../../../schemas/attribute.js';
import { type DynamoDbFault, invalid, type Json, notSimulated, objectIn } from './dynamodb-call.js';
import { readValue } from './dynamodb-values.js';

/** A place in an item: a name, then names of maps and positions of lists. */
export type Path = readonly [string, ...(string | number)[]];

export type Operand =
  | { readonly kind: 'path'; readonly path: Path }
  | { readonly kind: 'value'; readonly value: AttributeValue }
  | { readonly kind: 'size'; readonly path: Path };

export type Comparator = '=' | '<>' | '<' | '<=' | '>' | '>=';

export type Condition =
  | { readonly kind: 'and' | 'or'; readonly left: Condition; readonly right: Condition }
  | { readonly kind: 'not'; readonly of: Condition }
  | {
      readonly kind: 'compare';
      readonly by: Comparator;
      readonly left: Operand;
      readonly right: Operand;
    }
  | {
      readonly kind: 'between';
      readonly of: Operand;
      readonly low: Operand;
      readonly high: Operand;
    }
  | { readonly kind: 'in'; readonly of: Operand; readonly among: readonly Operand[] }
  | { readonly kind: 'exists' | 'missing'; readonly path: Path }
  | {
      readonly kind: 'begins' | 'contains' | 'type';
      readonly path: Path;
      readonly operand: Operand;
    };

/** What an update sets an attribute to. */
export type Term =
  | Operand
  | { readonly kind: 'ifMissing'; readonly path: Path; readonly otherwise: Operand }
  | { readonly kind: 'append'; readonly left: Term; readonly right: Term }
  | { readonly kind: 'sum' | 'difference'; readonly left: Term; readonly right: Term };

export interface Update {
  readonly set: readonly { readonly name: string; readonly term: Term }[];
  readonly remove: readonly string[];
  readonly add: readonly { readonly name: string; readonly value: AttributeValue }[];
  readonly delete: readonly { readonly name: string; readonly value: AttributeValue }[];
}

const tokenPattern = /\s*(?:([#:]?[A-Za-z_0-9][A-Za-z0-9_-]*)|(<>|<=|>=|[=<>(),.[\]+-]))/y;
const comparators: ReadonlySet<string> = new Set(['=', '<>', '<', '<=', '>', '>=']);
/** Longest expression, in bytes; nesting of parentheses has no other bound. */
const expressionBytesMax = 4096;

/** The expressions of one request, over its names and values. `close` proves that all of those were used. */
export class Expressions {
  readonly #names: ReadonlyMap<string, string>;
  readonly #values: ReadonlyMap<string, AttributeValue>;
  readonly #used = new Set<string>();
  #what = '';
  #tokens: readonly string[] = [];
  #at = 0;

  constructor(input: Json) {
    this.#names = new Map(
      Object.entries(objectIn(input, 'ExpressionAttributeNames') ?? {}).map(([key, name]) => {
        if (typeof name !== 'string' || name === '') {
          throw invalid('ExpressionAttributeNames contains invalid value');
        }
        return [key, name];
      }),
    );
    this.#values = new Map(
      Object.entries(objectIn(input, 'ExpressionAttributeValues') ?? {}).map(([key, value]) => [
        key,
        readValue(value),
      ]),
    );
  }

  /** A condition of any kind. Throws ValidationException. */
  condition(what: string, text: string): Condition {
    this.#begin(what, text);
    const condition = this.#or();
    this.#end();
    return condition;
  }

  /** Names of a projection, in order. */
  projection(text: string): readonly string[] {
    this.#begin('ProjectionExpression', text);
    const names = this.#listed(() => this.#topName());
    this.#end();
    return names;
  }

  update(text: string): Update {
    this.#begin('UpdateExpression', text);
    const update = {
      set: [] as { name: string; term: Term }[],
      remove: [] as string[],
      add: [] as { name: string; value: AttributeValue }[],
      delete: [] as { name: string; value: AttributeValue }[],
    };
    const seen = new Set<string>();
    while (this.#at < this.#tokens.length) {
      const clause = this.#next().toUpperCase();
      if (seen.has(clause)) {
        throw this.#wrong(`The "${clause}" section can only be used once in an update expression;`);
      }
      seen.add(clause);
      if (clause === 'SET') update.set = this.#listed(() => this.#assignment());
      else if (clause === 'REMOVE') update.remove = this.#listed(() => this.#topName());
      else if (clause === 'ADD') update.add = this.#listed(() => this.#nameAndValue());
      else if (clause === 'DELETE') update.delete = this.#listed(() => this.#nameAndValue());
      else throw this.#wrong('Syntax error');
    }
    const names = [...update.set, ...update.add, ...update.delete]
      .map(({ name }) => name)
      .concat(update.remove);
    if (new Set(names).size < names.length) {
      throw this.#wrong('Two document paths overlap with each other;');
    }
    return update;
  }

  /** Throws ValidationException when a name or a value of the request stands in no expression. */
  close(): void {
    for (const [member, keys] of [
      ['ExpressionAttributeNames', this.#names.keys()],
      ['ExpressionAttributeValues', this.#values.keys()],
    ] as const) {
      const unused = [...keys].filter((key) => !this.#used.has(key));
      if (unused.length === 0) continue;
      throw invalid(
        `Value provided in ${member} unused in expressions: keys: {${unused.join(', ')}}`,
      );
    }
  }

  #begin(what: string, text: string): void {
    this.#what = what;
    if (text === '') throw this.#wrong('The expression can not be empty;');
    if (Buffer.byteLength(text) > expressionBytesMax) {
      throw this.#wrong('Expression size has exceeded the maximum allowed size;');
    }
    const tokens: string[] = [];
    const end = text.trimEnd().length;
    tokenPattern.lastIndex = 0;
    while (tokenPattern.lastIndex < end) {
      const match = tokenPattern.exec(text);
      if (match === null) throw this.#wrong('Syntax error');
      tokens.push(match[1] ?? match[2]!);
    }
    this.#tokens = tokens;
    this.#at = 0;
  }

  #end(): void {
    if (this.#at < this.#tokens.length) throw this.#wrong('Syntax error');
  }

  #wrong(why: string): DynamoDbFault {
    return invalid(`Invalid ${this.#what}: ${why}`);
  }

  #peek(): string {
    return this.#tokens[this.#at] ?? '';
  }

  #next(): string {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw this.#wrong('Syntax error');
    this.#at += 1;
    return token;
  }

  /** Takes a word or sign if it comes next. */
  #takes(word: string): boolean {
    if (this.#peek().toUpperCase() !== word) return false;
    this.#at += 1;
    return true;
  }

  #expect(sign: string): void {
    if (!this.#takes(sign)) throw this.#wrong('Syntax error');
  }

  #listed<T>(read: () => T): T[] {
    const all = [read()];
    while (this.#takes(',')) all.push(read());
    return all;
  }

  #or(): Condition {
    let left = this.#and();
    while (this.#takes('OR')) left = { kind: 'or', left, right: this.#and() };
    return left;
  }

  #and(): Condition {
    let left = this.#not();
    while (this.#takes('AND')) left = { kind: 'and', left, right: this.#not() };
    return left;
  }

  #not(): Condition {
    if (this.#takes('NOT')) return { kind: 'not', of: this.#not() };
    if (this.#takes('(')) {
      const inner = this.#or();
      this.#expect(')');
      return inner;
    }
    const isCall = this.#tokens[this.#at + 1] === '(' && this.#peek() !== 'size';
    return isCall ? this.#function() : this.#comparison();
  }

  #function(): Condition {
    const name = this.#next();
    this.#expect('(');
    const path = this.#path();
    const kind = ({ attribute_exists: 'exists', attribute_not_exists: 'missing' } as const)[name];
    if (kind !== undefined) {
      this.#expect(')');
      return { kind, path };
    }
    const twofold = (
      { begins_with: 'begins', contains: 'contains', attribute_type: 'type' } as const
    )[name];
    if (twofold === undefined) throw this.#wrong('Invalid function name');
    this.#expect(',');
    const operand = this.#operand();
    this.#expect(')');
    return { kind: twofold, path, operand };
  }

  #comparison(): Condition {
    const of = this.#operand();
    if (this.#takes('BETWEEN')) {
      const low = this.#operand();
      this.#expect('AND');
      return { kind: 'between', of, low, high: this.#operand() };
    }
    if (this.#takes('IN')) {
      this.#expect('(');
      const among = this.#listed(() => this.#operand());
      this.#expect(')');
      return { kind: 'in', of, among };
    }
    const by = this.#next();
    if (!comparators.has(by)) throw this.#wrong('Syntax error');
    return { kind: 'compare', by: by as Comparator, left: of, right: this.#operand() };
  }

  #operand(): Operand {
    if (this.#peek().startsWith(':')) return { kind: 'value', value: this.#value() };
    if (this.#peek() === 'size' && this.#tokens[this.#at + 1] === '(') {
      this.#at += 2;
      const path = this.#path();
      this.#expect(')');
      return { kind: 'size', path };
    }
    return { kind: 'path', path: this.#path() };
  }

  #value(): AttributeValue {
    const token = this.#next();
    const value = this.#values.get(token);
    if (!token.startsWith(':')) throw this.#wrong('Syntax error');
    if (value === undefined) {
      throw this.#wrong(
        `An expression attribute value used in expression is not defined; attribute value: ${token}`,
      );
    }
    this.#used.add(token);
    return value;
  }

  #name(): string {
    const token = this.#next();
    if (/^[A-Za-z_]/.test(token)) return token;
    const name = this.#names.get(token);
    if (!token.startsWith('#')) throw this.#wrong('Syntax error');
    if (name === undefined) {
      throw this.#wrong(
        `An expression attribute name used in the document path is not defined; attribute name: ${token}`,
      );
    }
    this.#used.add(token);
    return name;
  }

  #path(): Path {
    const path: [string, ...(string | number)[]] = [this.#name()];
    for (;;) {
      if (this.#takes('.')) path.push(this.#name());
      else if (this.#takes('[')) {
        const index = this.#next();
        if (!/^\d{1,9}$/.test(index)) throw this.#wrong('Syntax error');
        path.push(Number(index));
        this.#expect(']');
      } else return path;
    }
  }

  /** A name of the item itself: what lies deeper is read in conditions only. */
  #topName(): string {
    const path = this.#path();
    if (path.length > 1) throw notSimulated(`a document path in ${this.#what}`);
    return path[0];
  }

  #nameAndValue(): { name: string; value: AttributeValue } {
    return { name: this.#topName(), value: this.#value() };
  }

  #assignment(): { name: string; term: Term } {
    const name = this.#topName();
    this.#expect('=');
    const left = this.#term();
    if (this.#takes('+')) return { name, term: { kind: 'sum', left, right: this.#term() } };
    if (this.#takes('-')) return { name, term: { kind: 'difference', left, right: this.#term() } };
    return { name, term: left };
  }

  #term(): Term {
    if (this.#tokens[this.#at + 1] !== '(' || this.#peek() === 'size') return this.#operand();
    const name = this.#next();
    this.#expect('(');
    if (name === 'if_not_exists') {
      const path = this.#path();
      this.#expect(',');
      const otherwise = this.#operand();
      this.#expect(')');
      return { kind: 'ifMissing', path, otherwise };
    }
    if (name !== 'list_append') throw this.#wrong('Invalid function name');
    const left = this.#term();
    this.#expect(',');
    const right = this.#term();
    this.#expect(')');
    return { kind: 'append', left, right };
  }
}

/** Refuses the parameters that expressions took the place of. Throws ValidationException. */
export function refuseLegacy(input: Json): void {
  const legacy = [
    'AttributesToGet',
    'AttributeUpdates',
    'ConditionalOperator',
    'Expected',
    'KeyConditions',
    'QueryFilter',
    'ScanFilter',
  ];
  for (const member of legacy) {
    if (input[member] !== undefined && input[member] !== null) throw notSimulated(member);
  }
}
