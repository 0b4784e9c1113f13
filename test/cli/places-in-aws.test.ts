// Lakes and exports on S3 on the command line: places, the catalog that is meant, and how AWS is reached.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { placeUri } from '../../pipeline/cli/places.js';
import { loadReport } from './reports.js';
import { runStubbed } from './stub-context.js';

const folder = mkdtempSync(join(tmpdir(), 'tidelake-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function loaded(
  args: readonly string[],
  config: object = {},
): Promise<{ readonly target: Record<string, unknown>; readonly aws: Record<string, unknown> }> {
  writeFileSync(join(folder, 'tidelake.config.json'), JSON.stringify(config));
  const ran = await runStubbed(['load', 's3://raw/exports/', ...args], {
    folder,
    api: { loadExport: async () => loadReport },
  });
  expect(ran).toMatchObject({ exitCode: 0 });
  const optionsOf = (name: string) => ran.calls.find((call) => call.name === name)!.options;
  const { version, ...aws } = optionsOf('createWorld').aws as Record<string, unknown>;
  expect(version).toMatch(/^\d+\.\d+\.\d+/);
  return { target: optionsOf('loadExport'), aws };
}

describe('a place in S3', () => {
  it.each([
    ['s3://bucket', 's3://bucket'],
    ['s3://bucket/', 's3://bucket'],
    ['s3://bucket/a/b/', 's3://bucket/a/b'],
    ['s3a://bucket/a=1/b%2F', 's3://bucket/a=1/b%2F'],
    ['S3://bucket/Ä b', 's3://bucket/Ä b'],
  ])('%s is %s', (given, uri) => {
    expect(placeUri(given, '/srv', 'load')).toBe(uri);
  });

  it('is taken for exports and lakes', async () => {
    const { target } = await loaded(['--lake', 's3://lake/prefix']);
    expect(target).toMatchObject({ lake: 's3://lake/prefix', exportUri: 's3://raw/exports' });
  });
});

describe('the catalog', () => {
  it.each<[string, readonly string[], object, string | undefined]>([
    ['a folder', ['--lake', './lake', '--database', 'shop'], {}, undefined],
    ['S3 without a named database', ['--lake', 's3://lake/x'], {}, undefined],
    ['S3 with one named by flag', ['--lake', 's3://lake/x', '--database', 'shop'], {}, 'glue'],
    ['S3 with one configured', [], { lake: 's3://lake/x', database: 'shop' }, 'glue'],
    [
      'S3 with one configured, and files by flag',
      ['--catalog', 'files'],
      { lake: 's3://lake/x', database: 'shop' },
      undefined,
    ],
    ['S3 and glue by flag', ['--lake', 's3://lake/x', '--catalog', 'glue'], {}, 'glue'],
    [
      'S3 and files configured',
      ['--lake', 's3://l-k/x', '--database', 'd'],
      { catalog: 'files' },
      undefined,
    ],
    ['a folder although glue is configured', ['--lake', './lake'], { catalog: 'glue' }, undefined],
  ])('for %s', async (_, args, config, catalog) => {
    expect((await loaded(args, config)).target.catalog).toBe(catalog);
  });
});

describe('how AWS is reached', () => {
  const role = 'arn:aws:iam::123456789012:role/tidelake/merger';

  it('is said by flags, else by the configuration', async () => {
    const aws = { region: 'eu-west-1', profile: 'shop', expectedBucketOwner: '123456789012' };
    expect((await loaded([])).aws).toEqual({});
    expect((await loaded([], { aws })).aws).toEqual(aws);
    expect((await loaded(['--region', 'us-gov-west-1', '--role-arn', role], { aws })).aws).toEqual({
      ...aws,
      region: 'us-gov-west-1',
      roleArn: role,
    });
  });

  it.each([
    [{ aws: { region: 'nowhere' } }, 'aws.region'],
    [{ aws: { acessKeyId: 'x' } }, 'acessKeyId'],
    [{ catalog: 'hive' }, 'catalog'],
  ])('is refused when the configuration says %j', async (config, named) => {
    writeFileSync(join(folder, 'tidelake.config.json'), JSON.stringify(config));
    const ran = await runStubbed(['status'], { folder });
    expect(ran.exitCode).toBe(2);
    expect(ran.err).toContain(named);
  });
});
