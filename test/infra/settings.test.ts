// Settings of the CDK app: defaults, the command line on top, and what is refused.
// Promises: a setting that is wrong or unknown is named.
// Source: docs/how-to/infrastructure.md, "Settings".

import { describe, expect, it } from 'vitest';
import { readSettings, tableArn } from '../../infra/settings.js';

describe('settings', () => {
  it('have a default but for the tables', () => {
    expect(readSettings({ lake: { tables: ['orders'] } })).toEqual({
      name: 'tidelake',
      database: 'lake',
      tables: ['orders'],
      exportsPrefix: 'exports',
      lakePrefix: 'lake',
      encryption: 's3',
      resultsDays: 7,
      undeleteDays: 30,
      accessLogDays: 90,
      scanBytesMax: 107_374_182_400,
      mayTidy: false,
      runners: [],
      foreignExporters: [],
    });
    expect(() => readSettings({})).toThrow(/lake\.tables/);
  });

  it('of the command line win', () => {
    const settings = readSettings({
      lake: { name: 'shop', tables: ['orders'] },
      'lake.name': 'market',
      'lake.tables': 'orders,arn:aws:dynamodb:eu-west-1:123456789012:table/clients',
      'lake.mayTidy': 'true',
      'lake.resultsDays': '3',
    });
    expect(settings).toMatchObject({
      name: 'market',
      tables: ['orders', 'arn:aws:dynamodb:eu-west-1:123456789012:table/clients'],
      mayTidy: true,
      resultsDays: 3,
    });
  });

  it.each([
    ['lake.nme', { nme: 'x' }, /nme/],
    ['lake.name', { name: 'Shop' }, /lake\.name/],
    ['lake.exportsPrefix', { exportsPrefix: '/exports' }, /lake\.exportsPrefix/],
    ['lake.scanBytesMax', { scanBytesMax: 1000 }, /lake\.scanBytesMax/],
    ['lake.runners', { runners: ['evil.example.com'] }, /lake\.runners/],
    ['lake.foreignExporters', { foreignExporters: ['*'] }, /lake\.foreignExporters/],
    ['lake.runner', { runner: 'tidelake:latest' }, /lake\.runner/],
    [
      'lake.runner.tickMinutes',
      {
        runner: {
          image: '123456789012.dkr.ecr.eu-west-1.amazonaws.com/tidelake:1',
          tickMinutes: 60,
        },
      },
      /lake\.runner\.tickMinutes/,
    ],
    [
      'lake.runner.logDays',
      { runner: { image: '123456789012.dkr.ecr.eu-west-1.amazonaws.com/tidelake:1', logDays: 31 } },
      /lake\.runner\.logDays/,
    ],
    [
      'lake.runner.assumeRoles',
      {
        runner: {
          image: '123456789012.dkr.ecr.eu-west-1.amazonaws.com/tidelake:1',
          assumeRoles: ['arn:aws:iam::210987654321:role/*'],
        },
      },
      /lake\.runner\.assumeRoles/,
    ],
  ])('refuse a wrong %s by name', (_, wrong, pattern) => {
    expect(() => readSettings({ lake: { tables: ['orders'], ...wrong } })).toThrow(pattern);
  });

  it('of the scheduled job may be its image alone', () => {
    const image = '123456789012.dkr.ecr.eu-west-1.amazonaws.com/tidelake@sha256:0123';
    const { runner } = readSettings({ lake: { tables: ['orders'] }, 'lake.runner': image });
    expect(runner).toEqual({
      image,
      architecture: 'x86_64',
      tickMinutes: 5,
      memoryMb: 3008,
      scratchMb: 4096,
      timeoutSeconds: 900,
      concurrency: 1,
      logDays: 30,
      staleSeconds: 10_800,
      keepDays: null,
      assumeRoles: [],
      findTables: false,
      fargate: false,
    });
  });

  it('take a table by name or by ARN', () => {
    expect(tableArn('orders', 'aws', 'eu-west-1', '123456789012')).toBe(
      'arn:aws:dynamodb:eu-west-1:123456789012:table/orders',
    );
    const arn = 'arn:aws:dynamodb:us-east-1:999999999999:table/orders';
    expect(tableArn(arn, 'aws', 'eu-west-1', '123456789012')).toBe(arn);
  });
});
