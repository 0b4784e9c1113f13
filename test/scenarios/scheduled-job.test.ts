// The commands plan, run and export as a person or a schedule gives them, over the simulated AWS on a virtual clock.
// Promises: what is expected comes from the simulated table and its bill; nothing of the table is read.
// Source: the design, "The hourly job is a pure decision", "The command".

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DescribeExportCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExportReport, PlanReport, RoundReport } from '../../pipeline/reports.js';
import { type ScheduledTable, ScheduledWorld } from '../schedule/scheduled-table.js';
import { dayMs, hourMs, minuteMs } from '../simulator/aws/running-dynamodb.js';
import { type Ran, reportsIn, runHere } from './command-here.js';

let here: ScheduledWorld;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'tidelake-scheduled-'));
  here = await ScheduledWorld.start();
  process.env.AWS_ENDPOINT_URL = here.aws.simulator.url;
});
afterAll(async () => {
  delete process.env.AWS_ENDPOINT_URL;
  await here.close();
  await rm(folder, { recursive: true, force: true });
});

function tidelake(table: ScheduledTable, ...args: string[]): Promise<Ran> {
  const { target } = table.job;
  const place = ['--lake', target.lake, '--database', target.database, '--catalog', 'files'];
  const where = ['--source', table.name, '--bucket', 'exports', '--prefix', 'raw'];
  return runHere(folder, [...args, ...where, ...place, '--threads', '1'], here.aws.clock);
}
const one = <T>(ran: Ran): T => reportsIn(ran.out)[0] as T;

describe('tidelake run', () => {
  it('does a round, says how fresh the lake is, and ends with 0', async () => {
    const table = await here.table();
    const first = await tidelake(table, 'run');
    expect(first).toMatchObject({ exitCode: 0, err: '' });
    expect(first.out).toMatch(
      /^table_\d+ {2}not in the lake yet; asked for 1 export; waiting for 1 export, next .*Z\n$/,
    );
    here.aws.clock.advanceMs(11 * minuteMs);
    const second = await tidelake(table, 'run');
    expect(second.out).toMatch(/fresh to .*Z, .* ago; loaded 12 rows; /);
    expect(second.out.trimEnd().split('\n')).toHaveLength(1);
  });

  it('--wait stays until the newest window is in', async () => {
    const table = await here.table();
    const ran = await tidelake(table, 'run', '--wait', '--json');
    expect(ran.exitCode).toBe(0);
    const first = one<RoundReport>(ran);
    expect(first).toMatchObject({ loads: [{ rows: 12 }], requested: [{ type: 'full' }] });
    for (let h = 0; h < 3; h++) await table.hour(h);
    const again = await tidelake(table, 'run', '--wait', '--json');
    const report = one<RoundReport>(again);
    expect(report.merges.map(({ action }) => action)).toEqual(['applied', 'applied', 'applied']);
    expect(report.requested).toHaveLength(3);
    expect(await table.faults(report.watermark!)).toEqual([]);
  });

  it('refuses with 3 what a person has to heal, and --reseed heals it', async () => {
    const table = await here.table();
    await tidelake(table, 'run', '--wait');
    await here.aws.recovery(table.name, false);
    await here.aws.recovery(table.name, true);
    await table.hour(1);
    await table.hour(2);
    const refused = await tidelake(table, 'run');
    expect(refused).toMatchObject({ exitCode: 3, out: expect.stringContaining('refused') });
    expect(refused.err).toContain('REFUSED_OUTSIDE_PITR');
    expect(refused.err).toMatch(/next: tidelake run --table table_\d+ --reseed/);
    const healed = await tidelake(table, 'run', '--reseed', '--wait', '--json');
    const report = one<RoundReport>(healed);
    expect(report).toMatchObject({ epoch: 2, reseeded: { code: 'REFUSED_OUTSIDE_PITR' } });
    expect(await table.faults(report.watermark!)).toEqual([]);
  });

  it.each(['failed three times', 'was removed before it was merged'])(
    'goes on after the command that it names, when an export %s',
    async (trouble) => {
      const table = await here.table();
      await tidelake(table, 'run', '--wait');
      await table.hour(1);
      if (trouble.startsWith('failed')) {
        await here.aws.simulator.dynamodb.changeSettings({
          exportTroubles: [{ code: 'S3AccessDenied', times: 3 }],
        });
      } else {
        const asked = one<RoundReport>(await tidelake(table, 'run', '--json'));
        here.aws.clock.advanceMs(11 * minuteMs);
        await here.aws.simulator.dynamodb.settle();
        const { place } = asked.requested[0]!;
        for await (const { uri } of here.store.list(place)) await here.store.remove(uri);
      }
      const refused = await tidelake(table, 'run', '--wait');
      expect(refused.exitCode).toBe(3);
      const remedy = /tidelake (export .*)$/m.exec(refused.err)![1]!.split(' ');
      expect(await tidelake(table, ...remedy, '--wait')).toMatchObject({ exitCode: 0 });
      const report = one<RoundReport>(await tidelake(table, 'run', '--wait', '--json'));
      expect(report).toMatchObject({ error: null });
      expect(report.merges.length).toBeGreaterThan(0);
      expect(report.merges.every(({ action }) => action === 'applied')).toBe(true);
    },
  );

  it.each([
    [['run', '--grain', '25'], 'USAGE'],
    [['run', '--grain', '10'], '--grain'],
    [['run', '--max-seconds', '5'], '--max-seconds'],
    [['run', '--sse', 'AES256', '--kms-key', 'abc'], '--kms-key'],
  ])('refuses %j as wrong use', async (args, text) => {
    const ran = await tidelake(await here.table(), ...args);
    expect(ran).toMatchObject({ exitCode: 2, out: '', err: expect.stringContaining(text) });
  });
});

describe('tidelake plan', () => {
  it('shows actions and price, and asks for nothing', async () => {
    const table = await here.table();
    const ran = await tidelake(table, 'plan', '--json');
    expect(ran).toMatchObject({ exitCode: 0, err: '' });
    const plan = one<PlanReport>(ran);
    expect(plan).toMatchObject({
      state: 'waiting',
      watermark: null,
      actions: [{ do: 'request-full', attempt: 1 }],
    });
    expect(plan.price.lines.length).toBeGreaterThan(0);
    expect(await table.exports()).toEqual([]);
    await tidelake(table, 'run', '--wait');
    for (let h = 0; h < 2; h++) await table.hour(h);
    const text = await tidelake(table, 'plan');
    expect(text.out).toMatch(/ask for .*Z to .*Z\n/);
    expect(text.out).toMatch(/price about \$/);
    expect(await table.exports()).toHaveLength(1);
  });

  it('shows what is complete as what would be merged', async () => {
    const table = await here.table();
    await tidelake(table, 'run', '--wait');
    await table.hour(1);
    await tidelake(table, 'run');
    here.aws.clock.advanceMs(11 * minuteMs);
    const plan = one<PlanReport>(await tidelake(table, 'plan', '--json'));
    const ExportArn = plan.actions[0]!.exportArn!;
    const { ExportDescription: described } = await here.aws.db.send(
      new DescribeExportCommand({ ExportArn }),
    );
    expect(described!.BilledSizeBytes).toBeGreaterThan(0);
    expect(plan.actions).toMatchObject([
      { do: 'merge', from: plan.watermark, bytes: described!.BilledSizeBytes },
    ]);
  });
});

describe('tidelake export', () => {
  it('--full --wait gives an export that load takes', async () => {
    const table = await here.table();
    const ran = await tidelake(table, 'export', '--full', '--wait', '--json');
    expect(ran.exitCode).toBe(0);
    const report = one<ExportReport>(ran);
    expect(report).toMatchObject({ action: 'requested', state: 'COMPLETED', type: 'full' });
    expect(Date.parse(report.at!) % 1000).toBe(0);
    expect(await here.store.size(report.summary!)).toBeGreaterThan(0);
  });

  it('is not paid for twice, however long after', async () => {
    const table = await here.table();
    const at = new Date(here.aws.clock.nowMs() - hourMs / 2).toISOString();
    const window = ['--from', at, '--to', new Date(Date.parse(at) + 15 * minuteMs).toISOString()];
    expect(one<ExportReport>(await tidelake(table, 'export', ...window, '--json'))).toMatchObject({
      action: 'requested',
      state: 'IN_PROGRESS',
      view: 'NEW_AND_OLD_IMAGES',
    });
    for (const hours of [0.2, 9, 30]) {
      here.aws.clock.advanceMs(hours * hourMs);
      const again = await tidelake(table, 'export', ...window, '--json');
      expect(one<ExportReport>(again)).toMatchObject({ action: 'known', state: 'COMPLETED' });
    }
    expect(await table.exports()).toHaveLength(1);
  });

  it('that failed is exit 3, and is asked for anew', async () => {
    const table = await here.table();
    const at = new Date(here.aws.clock.nowMs() - hourMs / 2).toISOString();
    await here.aws.simulator.dynamodb.changeSettings({
      exportTroubles: [{ code: 'S3NoSuchBucket' }],
    });
    const failed = await tidelake(table, 'export', '--at', at, '--wait');
    expect(failed).toMatchObject({ exitCode: 3, err: expect.stringContaining('S3NoSuchBucket') });
    const again = await tidelake(table, 'export', '--at', at, '--wait', '--json');
    expect(one<ExportReport>(again)).toMatchObject({ attempt: 2, state: 'COMPLETED' });
  });

  it('tells too fresh, too old and impossible apart', async () => {
    const table = await here.table();
    const nowMs = here.aws.clock.nowMs();
    const at = (ms: number): string => new Date(ms).toISOString();
    const code = async (...args: string[]): Promise<string> =>
      /error (\w+)/.exec((await tidelake(table, 'export', ...args)).err)?.[1] ?? 'none';
    expect(await code('--at', at(nowMs))).toBe('REFUSED_TOO_FRESH');
    expect(await code('--from', at(nowMs - hourMs), '--to', at(nowMs))).toBe('REFUSED_TOO_FRESH');
    expect(await code('--at', at(nowMs - dayMs))).toBe('REFUSED_OUTSIDE_PITR');
    expect(await code('--from', at(nowMs - 2 * dayMs), '--to', at(nowMs))).toBe('USAGE');
    expect(await code('--at', '2026-11-20T09:00:00.5Z')).toBe('USAGE');
    expect(await code('--full', '--at', at(nowMs))).toBe('USAGE');
    await here.aws.recovery(table.name, false);
    expect(await code('--full')).toBe('REFUSED_PITR_OFF');
    expect(await table.exports()).toEqual([]);
  });
});
