// The CDK app as the command `cdk` runs it: the built file, with the context of cdk.json.
// Promises: no account, no network, no home folder are needed.
// Source: cdk.json; AWS CDK Developer Guide, "App lifecycle" (CDK_OUTDIR, CDK_CONTEXT_JSON).

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const cdk = JSON.parse(readFileSync(path.join(root, 'cdk.json'), 'utf8')) as {
  readonly app: string;
  readonly context: Record<string, unknown>;
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tidelake-cdk-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run(context: Record<string, unknown>) {
  const [program, ...args] = cdk.app.split(' ');
  expect(program).toBe('node');
  return spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    env: {
      CDK_OUTDIR: folder,
      CDK_CONTEXT_JSON: JSON.stringify({ ...cdk.context, ...context }),
      // The checks of the template are another test's.
      CDK_VALIDATION: 'false',
    },
  });
}

it('synthesizes one stack, named after the lake, with the queries of its tables', () => {
  const ran = run({ 'lake.name': 'shop', 'lake.tables': 'mystore,Other.Table' });
  expect(ran.stderr).toBe('');
  expect(ran.status).toBe(0);
  const template = readFileSync(path.join(folder, 'Lake-shop.template.json'), 'utf8');
  const { Resources: resources } = JSON.parse(template) as {
    Resources: Record<string, { Type: string; Properties: { Name?: string } }>;
  };
  const names = Object.values(resources)
    .filter((one) => one.Type === 'AWS::Athena::NamedQuery')
    .map((one) => one.Properties.Name);
  expect(names).toContain('mystore/revenue-by-day');
  expect(names).toContain('mystore/misfits');
  expect(names).toContain('other_table/misfits');
  expect(names).not.toContain('other_table/revenue-by-day');
});

it('makes the scheduled job of an image, with an alarm for each table', () => {
  const ran = run({
    'lake.tables': 'mystore,Other.Table',
    'lake.runner': '123456789012.dkr.ecr.eu-west-1.amazonaws.com/tidelake:1',
  });
  expect(ran.stderr).toBe('');
  const template = readFileSync(path.join(folder, 'Lake-tidelake.template.json'), 'utf8');
  const { Resources: resources } = JSON.parse(template) as {
    Resources: Record<string, { Properties: { MetricName?: string; Dimensions?: unknown } }>;
  };
  const watched = Object.values(resources)
    .filter(({ Properties }) => Properties?.MetricName === 'LagSeconds')
    .map(({ Properties }) => Properties.Dimensions);
  expect(watched).toEqual([
    [
      { Name: 'service', Value: 'tidelake' },
      { Name: 'table', Value: 'mystore' },
    ],
    [
      { Name: 'service', Value: 'tidelake' },
      { Name: 'table', Value: 'other_table' },
    ],
  ]);
});

it('names a wrong setting', () => {
  const ran = run({ 'lake.nme': 'shop' });
  expect(ran.status).not.toBe(0);
  expect(ran.stderr).toContain('nme');
});
