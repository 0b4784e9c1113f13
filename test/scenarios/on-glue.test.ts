// The whole way with tables in Glue: load, merge and the rest by the command, over the simulated S3 and Glue.
// Promises: what is expected comes from the simulated table, made a second time from its seed.
// Source: docs/reference/glue-table.md.

import { GetTableVersionsCommand, type Table } from '@aws-sdk/client-glue';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CliContext } from '../../pipeline/cli/context.js';
import { createWorld } from '../../pipeline/cli/create-world.js';
import { runTidelake } from '../../pipeline/cli/run.js';
import { type Story, simulate } from '../../pipeline/simulator/index.js';
import { SimulatedGlue } from '../aws/simulated-glue.js';
import { RememberingOutput } from '../cli/stub-context.js';

let sim: SimulatedGlue;
let story: Story;
/** How often a merge asks Glue for the table before its first commit. */
let looksBeforeCommit = 0;
const exportsUri = 's3://lake/raw';
const place = ['--lake', 's3://lake/tables', '--database', 'shop'] as const;

beforeAll(async () => {
  sim = await SimulatedGlue.start();
  process.env.AWS_ENDPOINT_URL = sim.s3.simulator.url;
  story = await simulate({
    dataset: 'mystore',
    items: 50,
    windows: 2,
    seed: 'glue',
    view: 'NEW_AND_OLD_IMAGES',
    store: sim.store,
    outUri: exportsUri,
  });
});
afterAll(async () => {
  delete process.env.AWS_ENDPOINT_URL;
  await sim.close();
});

interface Ran {
  readonly exitCode: number;
  readonly rows: Record<string, unknown>[];
  readonly err: string;
}

const run = (...args: string[]): Promise<Ran> => runIn(place, ...args);

async function runIn(lake: readonly string[], ...args: string[]): Promise<Ran> {
  const out = new RememberingOutput();
  const err = new RememberingOutput();
  const context: CliContext = {
    process: { stdout: out, stderr: err, env: {} },
    out,
    err,
    folder: sim.s3.folder,
    clock: { nowMs: () => Date.UTC(2026, 10, 20, 12), sleep: async () => {} },
    processors: 1,
    loadApi: () => import('../../pipeline/index.js'),
    loadSimulator: () => import('../../pipeline/simulator/index.js'),
    startSimulator: () => Promise.reject(new Error('no simulator is asked for')),
    openAthena: () => Promise.reject(new Error('no Athena is asked for')),
    openTableExports: () => Promise.reject(new Error('no DynamoDB is asked for')),
    onStop: () => () => {},
    createWorld,
    onInterrupt: () => () => {},
  };
  const exitCode = await runTidelake([...args, ...lake, '--json'], context);
  const lines = out.text.split('\n').filter((line) => line !== '');
  return { exitCode, err: err.text, rows: lines.map((line) => JSON.parse(line)) };
}

const glueTable = (): Promise<Table> => sim.table('shop', 'mystore');
const instant = (ms: number): string => new Date(ms).toISOString();

describe('a table in Glue', () => {
  it('is there after a load, as fresh as its export', async () => {
    const loaded = await run('load', exportsUri, '--key', 'clientid,created');
    expect(loaded).toMatchObject({ exitCode: 0, err: expect.not.stringContaining('error') });
    const { Parameters, StorageDescriptor, VersionId, Description } = await glueTable();
    expect(VersionId).toBe('0');
    expect(Description).toBe('The items of the DynamoDB table mystore');
    expect(StorageDescriptor!.Location).toBe('s3://lake/tables/shop/mystore');
    expect(Parameters).toMatchObject({
      table_type: 'ICEBERG',
      classification: 'iceberg',
      source_table_arn: expect.stringMatching(/^arn:aws:dynamodb:.*:table\/mystore$/),
      last_export_arn: expect.stringContaining('/export/'),
      last_window_end: instant(story.windows[0]!.fromMs),
      created_by: expect.stringMatching(/^tidelake\/\d/),
    });
    // The names of attributes stand in comments; the map and the rest of Tidelake's state are not Glue's.
    expect(Object.keys(Parameters!).filter((name) => name.startsWith('tidelake.'))).toEqual([]);
    expect(StorageDescriptor!.Columns![0]).toMatchObject({
      Name: 'clientid',
      Comment: 'DynamoDB attribute clientid (S)',
      Parameters: { 'iceberg.field.current': 'true' },
    });
  });

  it('moves on with each window, keeps what others wrote, and archives no versions', async () => {
    await sim.update('shop', 'mystore', { Description: 'Orders, by the hour', Owner: 'shop-team' });
    const before = (await glueTable()).Parameters!.metadata_location;
    sim.s3.simulator.clearRequests();
    const merged = await run('merge', exportsUri);
    const operations = sim.s3.operations();
    looksBeforeCommit = operations
      .slice(0, operations.indexOf('UpdateTable'))
      .filter((one) => one === 'GetTable').length;
    expect(merged.exitCode).toBe(0);
    expect(merged.rows.filter(({ action }) => action === 'applied')).toHaveLength(2);
    const table = await glueTable();
    expect(table).toMatchObject({ Description: 'Orders, by the hour', Owner: 'shop-team' });
    const { previous_metadata_location: previous, last_window_end } = table.Parameters!;
    expect(last_window_end).toBe(instant(story.windows.at(-1)!.toMs));
    expect(previous).not.toBe(before);
    // The description archived the version of the load; the windows archived none.
    const versions = await sim.glue.send(
      new GetTableVersionsCommand({ DatabaseName: 'shop', TableName: 'mystore' }),
    );
    expect(versions.TableVersions!.map((one) => one.VersionId)).toEqual(['3', '0']);
  });

  it('says how fresh it is, and that there is nothing to do', async () => {
    const [table] = (await run('status')).rows;
    expect(table).toMatchObject({ health: 'ok', watermark: instant(story.windows.at(-1)!.toMs) });
    const again = await run('merge', exportsUri);
    expect(again.exitCode).toBe(0);
    expect(again.rows.filter(({ action }) => action === 'applied')).toEqual([]);
  });

  it('answers questions and keeps every promise', async () => {
    const asked = await run('query', 'SELECT count(*) AS n FROM mystore');
    const expected = story.table.countAt(story.windows.at(-1)!.toMs * 1000);
    expect(Number(asked.rows[0]!.n)).toBe(expected);
    expect((await run('verify')).rows).toEqual([expect.objectContaining({ ok: true })]);
  });
});

describe('a commit that nobody can tell of', () => {
  it('ends with exit code 5, and the next run finds the window in the table', async () => {
    const lake = ['--lake', 's3://lake/lost', '--database', 'lost'] as const;
    const { simulator } = sim.s3;
    const loaded = await runIn(lake, 'load', exportsUri, '--key', 'clientid,created');
    expect(loaded.exitCode).toBe(0);
    // Looks at the table until the first commit: as many as on the way to the same commit of the other lake.
    simulator.setFaults([
      { service: 'glue', operation: 'UpdateTable', nth: 1, do: 'loseAnswer' },
      {
        service: 'glue',
        operation: 'GetTable',
        from: looksBeforeCommit + 1,
        do: { fault: 'error', code: 'AccessDeniedException' },
      },
    ]);
    const lost = await runIn(lake, 'merge', exportsUri);
    simulator.setFaults([]);
    expect(lost.exitCode).toBe(5);
    expect(lost.err).toContain('COMMIT_UNKNOWN');
    const again = await runIn(lake, 'merge', exportsUri);
    expect(again.exitCode).toBe(0);
    const log = await runIn(lake, 'log');
    expect(log.rows.map(({ to }) => to)).toEqual([
      null,
      ...story.windows.map(({ toMs }) => instant(toMs)),
    ]);
  });
});

describe('one folder with two catalogs', () => {
  const load = ['load', exportsUri, '--key', 'clientid,created'] as const;
  const files = async (lake: string): Promise<readonly string[]> => {
    const found: string[] = [];
    for await (const { uri } of sim.store.list(lake)) found.push(uri);
    return found.sort();
  };

  it.each([
    ['files', 'glue'],
    ['glue', 'files'],
  ] as const)('is refused: a table of %s, asked for in %s', async (own, other) => {
    const lake = `s3://lake/loaded-in-${own}`;
    const at = (catalog: string) =>
      ['--lake', lake, '--database', `two_${own}`, '--catalog', catalog] as const;
    expect(await runIn(at(own), ...load)).toMatchObject({ exitCode: 0 });
    const before = await files(lake);
    for (const command of [load, ['merge', exportsUri, '--table', 'mystore']] as const) {
      const ran = await runIn(at(other), ...command);
      expect(ran.exitCode).toBe(3);
      expect(ran.err).toContain('error REFUSED_OTHER_CATALOG  ');
      expect(ran.err).toContain(`${lake}/two_${own}/mystore`);
      expect(ran.err).toContain(`next: go on with --catalog ${own}; `);
    }
    expect(await files(lake)).toEqual(before);
    const merged = await runIn(at(own), 'merge', exportsUri);
    expect(merged.rows.map(({ action }) => action)).toContain('applied');
  });

  it('is none where only the remains of a load that died lie', async () => {
    const lake = 's3://lake/remains';
    const at = ['--lake', lake, '--database', 'remains', '--catalog', 'glue'] as const;
    const left = '00000-0b0a7c3e-8a1f-4c52-9d0a-6d1f6f0e9c11.metadata.json';
    await sim.store.put(`${lake}/remains/mystore/metadata/${left}`, Buffer.from('{}'));
    expect(await runIn(at, ...load)).toMatchObject({ exitCode: 0 });
  });
});
