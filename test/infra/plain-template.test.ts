// The template that ships: it is the one of these sources, and CloudFormation takes it as it stands.
// Promises: the committed file is the snapshot; a change of the stack shows as its diff.
// Source: AWS CloudFormation User Guide, "Template anatomy", "CloudFormation quotas".

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { plainTemplate } from '../../infra/plain-template.js';
import { loadSavedQueries } from '../../infra/saved-queries.js';
import { runStubbed } from '../cli/stub-context.js';

const root = path.resolve(import.meta.dirname, '../..');
const file = readFileSync(path.join(root, 'infra', 'template.json'), 'utf8');
const shipped = JSON.parse(file) as {
  readonly Parameters: Record<string, { readonly Default?: unknown }>;
  readonly Resources: Record<
    string,
    { readonly Type: string; readonly Properties: unknown; readonly Condition?: string }
  >;
  readonly Rules?: unknown;
};
const folder = path.join(root, 'queries', 'saved');

describe('infra/template.json', () => {
  let made: Record<string, unknown>;
  beforeAll(() => {
    made = plainTemplate(folder);
  });

  it('is what the sources make of it; if not: npm run template', () => {
    expect(shipped).toEqual(made);
  });

  it('asks for nothing of CDK: no assets, no bootstrap', () => {
    expect(Object.keys(shipped.Parameters)).not.toContain('BootstrapVersion');
    expect(shipped.Rules).toBeUndefined();
    expect(file).not.toMatch(/cdk-bootstrap|AssetParameters|CDKMetadata|aws:cdk/);
  });

  it('leaves only tables to be named', () => {
    const needed = Object.entries(shipped.Parameters).filter(
      ([, one]) => one.Default === undefined,
    );
    expect(needed.map(([name]) => name)).toEqual(['LakeTable', 'TableArns']);
  });

  it('makes the scheduled job only when its image is named, and mails only to an address', () => {
    const conditions = (type: string) =>
      Object.values(shipped.Resources)
        .filter((one) => one.Type === type)
        .map((one) => one.Condition);
    expect(conditions('AWS::Lambda::Function')).toEqual(['HasRunner']);
    expect(conditions('AWS::Scheduler::Schedule')).toEqual(['HasRunner']);
    expect(conditions('AWS::SNS::Subscription')).toEqual(['HasEmail']);
    expect(new Set(conditions('AWS::CloudWatch::Alarm'))).toEqual(new Set(['HasRunner']));
    expect(shipped.Parameters.RunnerImage).toMatchObject({ Default: '' });
    const [job] = Object.values(shipped.Resources).filter(
      (one) => one.Type === 'AWS::Lambda::Function',
    );
    expect(job!.Properties).toMatchObject({
      ReservedConcurrentExecutions: {
        'Fn::If': ['HasConcurrency', { Ref: 'RunnerConcurrency' }, { Ref: 'AWS::NoValue' }],
      },
    });
    // All that is new hangs on the condition: what was there stays whatever the image.
    const made = Object.entries(shipped.Resources).filter(([id]) => id.startsWith('LakeJob'));
    expect(made.filter(([, one]) => one.Condition === undefined)).toEqual([]);
    // The right to delete hangs on the days to keep as well.
    expect(conditions('AWS::IAM::Policy')).toEqual(['HasUpkeep']);
    expect(shipped.Parameters.KeepDays).toMatchObject({ Default: 0 });
    const rest = Object.entries(shipped.Resources).filter(([id]) => !id.startsWith('LakeJob'));
    expect(rest.filter(([, one]) => one.Condition !== undefined)).toEqual([]);
  });

  it('names no account and no Region', () => {
    expect(file).not.toMatch(/:\d{12}:|[a-z]{2}-(east|west|north|south|central)[a-z]*-\d/);
  });

  it('refers only to what it has', () => {
    const known = new Set([
      ...Object.keys(shipped.Parameters),
      ...Object.keys(shipped.Resources),
      'AWS::AccountId',
      'AWS::Region',
      'AWS::Partition',
      'AWS::NoValue',
    ]);
    const named = [
      ...file.matchAll(/"Ref": "([^"]+)"/g),
      ...file.matchAll(/"Fn::GetAtt": \["([^"]+)"/g),
    ].map((found) => found[1]!);
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  it('has the saved queries that take any table, with the parameter for it', () => {
    const saved = Object.values(shipped.Resources).filter(
      (one) => one.Type === 'AWS::Athena::NamedQuery',
    );
    const names = loadSavedQueries({ folder, database: 'lake', table: 'orders' });
    expect(saved).toHaveLength(names.length);
    expect(names.length).toBeGreaterThan(5);
    for (const { Properties } of saved) {
      expect(Properties).toMatchObject({
        Database: { Ref: 'DatabaseName' },
        Name: { 'Fn::Join': ['', [{ Ref: 'LakeTable' }, expect.stringMatching(/^\//)]] },
      });
    }
    expect(file).not.toContain('tidelake_parameter');
  });
});

describe('tidelake infra template', () => {
  it('prints it, small enough for a request', async () => {
    const ran = await runStubbed(['infra', 'template']);
    expect(ran).toMatchObject({ exitCode: 0, err: '', openWorlds: 0, calls: [] });
    expect(JSON.parse(ran.out)).toEqual(shipped);
    expect(Buffer.byteLength(ran.out)).toBeLessThanOrEqual(51_200);
  });
});
