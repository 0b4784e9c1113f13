// The demo against a lake that is a stub and a simulator that is not.
// Promises that the proof of the way back is a proof: a lost item or a changed digit is found.
// Spec: DESIGN "The command".

import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TidelakeApi } from '../../pipeline/cli/api.js';
import type { DemoReport } from '../../pipeline/cli/commands/demo.js';
import { DiskStore } from '../../pipeline/local/disk-store.js';
import type { Story } from '../../pipeline/simulator/index.js';
import * as simulator from '../../pipeline/simulator/index.js';
import { loadReport, mergeReport, statusRow, unloadReport, verifyReport } from './reports.js';
import { type Ran, runStubbed } from './stub-context.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidelake-demo-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs a small demo; `spoil` may change the lines that the lake gives back. */
async function runDemoStubbed(
  args: readonly string[],
  spoil: (lines: string[]) => string[] = (lines) => lines,
): Promise<Ran> {
  let story: Story | undefined;
  const store = new DiskStore();
  const api: Partial<TidelakeApi> = {
    loadExport: async () => loadReport,
    mergeExports: async function* () {
      yield { ...mergeReport, action: 'skipped', reason: 'a full export' };
      yield mergeReport;
    },
    query: async () => ({
      columns: [{ name: 'orders', type: 'BIGINT' }],
      rows: (async function* () {
        for (let n = 1; n <= 7; n += 1) yield [n];
      })(),
    }),
    status: async () => [statusRow],
    verify: async () => [verifyReport],
    unload: async (_world, { outUri }) => {
      const endMicros = story!.windows.at(-1)!.toMs * 1000;
      const lines = [...story!.table.itemsAt(endMicros)].map(
        (item) => `{"Item":${simulator.itemJson(item)}}\n`,
      );
      await store.put(`${outUri}/part-0.json.gz`, gzipSync(spoil(lines.reverse()).join('')));
      return { ...unloadReport, out: outUri };
    },
  };
  const remembered: Partial<typeof simulator> = {
    ...simulator,
    simulate: async (options) => {
      story = await simulator.simulate(options);
      return story;
    },
  };
  const small = ['--items', '60', '--hours', '2'];
  return runStubbed(['demo', ...small, ...args], { api, simulator: remembered, store, folder });
}

describe('demo', () => {
  it('tells the whole job and proves the way back', async () => {
    const ran = await runDemoStubbed([]);
    expect(ran.exitCode).toBe(0);
    expect(ran.out).toContain('one full and 2 incremental exports in .tidelake/demo/exports');
    expect(ran.out).toContain('tidelake query revenue-by-day');
    expect(ran.out).toContain('… 2 more rows');
    expect(ran.out).toContain('every attribute, every digit');
    expect(ran.out).toContain('tidelake status --lake .tidelake/demo');
    expect(ran.calls.find((call) => call.name === 'loadExport')!.options).toMatchObject({
      lake: `file://${folder}/.tidelake/demo`,
      database: 'lake',
      table: 'mystore',
      key: ['clientid', 'created'],
    });
    const merged = ran.calls.find((call) => call.name === 'mergeExports')!.options;
    expect(merged.exportUris).toEqual([`file://${folder}/.tidelake/demo/exports`]);
  });

  it.each([
    ['an item is lost', (lines: string[]) => lines.slice(1)],
    ['an item comes twice', (lines: string[]) => [lines[0]!, ...lines]],
    [
      'a digit differs',
      (lines: string[]) =>
        lines.map((line, at) => (at === 5 ? line.replace(/"N":"\d/, '"N":"9') : line)),
    ],
  ])('ends with exit 4 when %s', async (_, spoil) => {
    const ran = await runDemoStubbed([], spoil);
    expect(ran.exitCode).toBe(4);
    expect(ran.out).toContain('DIFFERENT');
  });

  it('prints one object with --json, and its story on stderr', async () => {
    const ran = await runDemoStubbed(['--json', '--lake', 'here']);
    const report = JSON.parse(ran.out) as DemoReport;
    expect(report.same).toBe(true);
    expect(report.lake).toBe(`file://${folder}/here`);
    expect(report.simulated.windows).toHaveLength(2);
    expect(report.queries.map((query) => query.rows)).toEqual([7, 7, 7]);
    expect(ran.err).toContain('The way back to DynamoDB');
  });

  it('runs again in its own folder, and leaves what is not its own', async () => {
    expect((await runDemoStubbed(['--lake', 'here'])).exitCode).toBe(0);
    writeFileSync(join(folder, 'here', 'mine.txt'), 'mine');
    expect((await runDemoStubbed(['--lake', 'here'])).exitCode).toBe(0);
    expect(readdirSync(join(folder, 'here'))).toContain('mine.txt');
  });

  it('refuses a folder that is not a demo, and touches nothing in it', async () => {
    mkdirSync(join(folder, 'here', 'exports'), { recursive: true });
    writeFileSync(join(folder, 'here', 'exports', 'precious'), '');
    const ran = await runDemoStubbed(['--lake', 'here']);
    expect(ran.exitCode).toBe(3);
    expect(ran.err).toContain('error REFUSED_NOT_EMPTY  here is not empty and not an earlier demo');
    expect(readdirSync(join(folder, 'here'))).toEqual(['exports']);
    expect(readdirSync(join(folder, 'here', 'exports'))).toEqual(['precious']);
  });

  it('does not use the configured lake', async () => {
    writeFileSync(join(folder, 'tidelake.config.json'), '{"lake":"./production"}');
    const ran = await runDemoStubbed([]);
    expect(ran.calls.find((call) => call.name === 'loadExport')!.options.lake).toBe(
      `file://${folder}/.tidelake/demo`,
    );
  });
});

describe('simulate', () => {
  it('writes the exports and says where they are', async () => {
    const store = new DiskStore();
    const args = ['simulate', '--out', 'x', '--items', '30', '--windows', '1', '--json'];
    const ran = await runStubbed(args, { simulator, store, folder });
    expect(ran.exitCode).toBe(0);
    const report = JSON.parse(ran.out);
    expect(report).toMatchObject({ table: 'mystore', items: 30 });
    expect(report.windows).toEqual([
      {
        from: '2026-11-01T00:00:00.000Z',
        to: '2026-11-01T01:00:00.000Z',
        uri: expect.stringContaining(`file://${folder}/x/AWSDynamoDB/`),
      },
    ]);
    const again = await runStubbed(args, { simulator, store, folder });
    expect(again.exitCode).toBe(3);
    expect(again.err).toContain('error REFUSED_NOT_EMPTY  x is not empty');
  });
});
