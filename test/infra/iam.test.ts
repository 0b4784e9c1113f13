// The evaluator of policies, against the rules of IAM's own guide: tests of roles are worth what it is worth.
// Promises: each fact is one sentence of the guide.
// Source: IAM User Guide, "Policy evaluation logic", "IAM JSON policy elements: Condition operators".

import { describe, expect, it } from 'vitest';
import { type Statement, verdictOf } from './iam.js';

const file = 'arn:aws:s3:::shop/a/b.txt';
const allow = (more: Partial<Statement> = {}): Statement => ({
  Effect: 'Allow',
  Action: 's3:GetObject',
  Resource: 'arn:aws:s3:::shop/*',
  ...more,
});
const read = (context: Record<string, string> = {}) => ({
  action: 's3:GetObject',
  resource: file,
  context,
});

describe('the evaluator', () => {
  it('allows nothing without a statement', () => {
    expect(verdictOf([], read())).toBe('not allowed');
  });

  it('lets a deny win, wherever it stands', () => {
    const deny: Statement = { ...allow(), Effect: 'Deny' };
    expect(verdictOf([allow()], read())).toBe('allowed');
    expect(verdictOf([allow(), deny], read())).toBe('denied');
    expect(verdictOf([deny, allow()], read())).toBe('denied');
  });

  it('takes actions in any case, resources as they are, * and ? for any characters', () => {
    expect(verdictOf([allow({ Action: 's3:getobject' })], read())).toBe('allowed');
    expect(verdictOf([allow({ Action: 's3:Get*' })], read())).toBe('allowed');
    expect(verdictOf([allow({ Resource: 'arn:aws:s3:::shop/?/b.txt' })], read())).toBe('allowed');
    expect(verdictOf([allow({ Resource: 'arn:aws:s3:::SHOP/*' })], read())).toBe('not allowed');
    expect(verdictOf([allow({ Resource: 'arn:aws:s3:::shop/a/bxtxt' })], read())).toBe(
      'not allowed',
    );
  });

  it('wants all operators and keys of a condition, and any of the values', () => {
    const both = allow({
      Condition: { StringEquals: { a: ['1', '2'] }, StringLike: { b: 'x*' } },
    });
    expect(verdictOf([both], read({ a: '2', b: 'xy' }))).toBe('allowed');
    expect(verdictOf([both], read({ a: '2' }))).toBe('not allowed');
    expect(verdictOf([both], read({ a: '3', b: 'xy' }))).toBe('not allowed');
  });

  it('has a key that is missing fail an operator, but pass a negated one', () => {
    expect(verdictOf([allow({ Condition: { Bool: { a: 'true' } } })], read())).toBe('not allowed');
    expect(verdictOf([allow({ Condition: { StringNotEquals: { a: '1' } } })], read())).toBe(
      'allowed',
    );
    expect(verdictOf([allow({ Condition: { Null: { a: 'true' } } })], read())).toBe('allowed');
    expect(verdictOf([allow({ Condition: { Null: { a: 'false' } } })], read())).toBe('not allowed');
  });

  it('refuses what it does not know', () => {
    const strange = { ...allow(), NotAction: 's3:PutObject' };
    expect(() => verdictOf([strange], read())).toThrow(/NotAction/);
    const odd = allow({ Condition: { IpAddress: { a: '10.0.0.0/8' } } });
    expect(() => verdictOf([odd], read({ a: '10.0.0.1' }))).toThrow(/IpAddress/);
  });
});
