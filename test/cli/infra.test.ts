// `tidelake infra policy`: what it prints, and what it asks for.
// Promises: the policy allows what the command needs at the places named, and nothing at others.
// Spec: docs/reference/permissions.md.

import { describe, expect, it } from 'vitest';
import { type Statement, verdictOf } from '../infra/iam.js';
import { runStubbed } from './stub-context.js';

const here = ['--account', '123456789012', '--region', 'eu-west-1'];
const exportsAt = ['--exports', 's3://shop-exports/from/dynamodb/'];
const lakeAt = ['--lake', 's3://shop-lake/lake'];

async function policy(...args: string[]): Promise<readonly Statement[]> {
  const ran = await runStubbed(['infra', 'policy', ...args]);
  expect(ran).toMatchObject({ exitCode: 0, err: '', openWorlds: 0, calls: [] });
  const document = JSON.parse(ran.out) as { Version: string; Statement: readonly Statement[] };
  expect(document.Version).toBe('2012-10-17');
  return document.Statement;
}

describe('infra policy', () => {
  const context = { 'aws:ResourceAccount': '123456789012' };

  it('prints a policy for the places named', async () => {
    const statements = await policy(
      'merge',
      ...here,
      ...exportsAt,
      ...lakeAt,
      '--database',
      'shop',
    );
    const may = (action: string, resource: string) =>
      verdictOf(statements, { action, resource, context });
    expect(may('s3:GetObject', 'arn:aws:s3:::shop-exports/from/dynamodb/a')).toBe('allowed');
    expect(may('s3:GetObject', 'arn:aws:s3:::shop-exports/from/elsewhere/a')).toBe('not allowed');
    expect(may('glue:UpdateTable', 'arn:aws:glue:eu-west-1:123456789012:table/shop/orders')).toBe(
      'allowed',
    );
    expect(may('glue:UpdateTable', 'arn:aws:glue:eu-west-1:123456789012:table/bank/orders')).toBe(
      'not allowed',
    );
  });

  it('lets roles of other accounts be taken by name, and asks for their names', async () => {
    const role = 'arn:aws:iam::210987654321:role/tidelake-exporter';
    const statements = await policy('assume-roles', ...here, '--roles', role);
    expect(statements).toEqual([
      { Sid: 'OtherRoles', Effect: 'Allow', Action: ['sts:AssumeRole'], Resource: [role] },
    ]);
    const ran = await runStubbed(['infra', 'policy', 'assume-roles', ...here]);
    expect(ran).toMatchObject({ exitCode: 2, out: '' });
    expect(ran.err).toContain('assume-roles needs --roles');
    const wide = await runStubbed(['infra', 'policy', 'assume-roles', ...here, '--roles', '*']);
    expect(wide).toMatchObject({ exitCode: 2, out: '' });
  });

  it('without a database is for a lake whose catalog is its files', async () => {
    const statements = await policy('status', ...here, ...lakeAt);
    expect(statements.flatMap(({ Action }) => Action).sort()).toEqual([
      's3:GetObject',
      's3:ListBucket',
    ]);
  });

  it('narrows to one table', async () => {
    const statements = await policy(
      'query',
      ...here,
      ...lakeAt,
      '--database',
      'shop',
      '--table',
      'orders',
    );
    expect(statements.flatMap(({ Resource }) => Resource)).toContain(
      'arn:aws:glue:eu-west-1:123456789012:table/shop/orders',
    );
  });

  it('adds the key, and the removal of lost files, when told to', async () => {
    const statements = await policy(
      'load',
      ...here,
      ...exportsAt,
      ...lakeAt,
      '--tidy',
      '--kms-key',
      'arn:aws:kms:eu-west-1:123456789012:key/1b6c9f0e-0000-0000-0000-000000000000',
    );
    const actions = statements.flatMap(({ Action }) => Action);
    expect(actions).toContain('kms:GenerateDataKey');
    expect(actions).toContain('s3:DeleteObject');
  });

  it('names the tables an exporter may export', async () => {
    const statements = await policy(
      'exporter',
      ...here,
      ...exportsAt,
      '--source',
      'orders,clients',
    );
    expect(statements.find(({ Sid }) => Sid === 'Tables')!.Resource).toEqual([
      'arn:aws:dynamodb:eu-west-1:123456789012:table/orders',
      'arn:aws:dynamodb:eu-west-1:123456789012:table/clients',
    ]);
  });

  it.each([
    [['merge', ...here, ...lakeAt], 'merge needs --exports'],
    [['merge', ...here, ...exportsAt], 'merge needs --lake'],
    [['query-athena', ...here, ...lakeAt], 'query-athena needs --results'],
    [['mergr', ...here], '"mergr" is none of'],
    [['merge', '--account', '12', '--region', 'eu-west-1'], '--account: twelve digits'],
    [['status', ...here, '--lake', './lake'], '--lake: s3://bucket/prefix is expected'],
    [['status', ...here, '--lake', 's3://shop-lake/*'], '--lake: s3://bucket/prefix is expected'],
  ])('%s is a wrong use', async (args, message) => {
    const ran = await runStubbed(['infra', 'policy', ...args]);
    expect(ran).toMatchObject({ exitCode: 2, out: '' });
    expect(ran.err).toContain(message);
  });
});
