// `tidelake backfill` on the command line: which flags go together, what is printed, and the exit code.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BackfillReport } from '../../pipeline/reports.js';
import { TidelakeError } from '../../schemas/errors.js';
import { type Ran, runStubbed } from './stub-context.js';

const report: BackfillReport = {
  action: 'done',
  database: 'lake',
  table: 'orders',
  tableId: 'id-1',
  source: 'exports',
  from: '2026-11-01T00:00:00.000Z',
  to: '2026-11-01T03:00:00.000Z',
  watermark: '2026-11-01T03:00:00.000Z',
  epochs: [
    {
      full: 'arn:aws:dynamodb:eu-west-1:123456789012:table/orders/export/01-a',
      from: '2026-11-01T00:00:00.000Z',
      to: '2026-11-01T03:00:00.000Z',
      windows: 3,
    },
  ],
  loads: 1,
  windows: 3,
  loaded: 1,
  merged: 3,
  requested: 0,
  findings: [],
  estimate: { items: 30, bytes: 15_000, files: 17, seconds: 2, usd: 0, assumptions: ['a thing'] },
  error: null,
  seconds: 4,
};
const gap: BackfillReport['findings'][number] = {
  kind: 'gap',
  from: '2026-11-01T03:00:00.000Z',
  to: '2026-11-01T04:00:00.000Z',
  exports: 2,
  blocking: true,
  what: 'no export covers an hour',
  next: 'tidelake export --table orders --from A --to B',
};
const refusal = { code: 'REFUSED_KEY', what: 'no key', meaning: 'm', next: 'n' } as const;
const failure = { code: 'THROTTLED', what: 'slow', meaning: 'm', next: 'n' } as const;

function backfill(
  args: readonly string[],
  ...reports: readonly Partial<BackfillReport>[]
): Promise<Ran> {
  return runStubbed(['backfill', ...args], {
    api: {
      backfillExports: async function* each() {
        for (const one of reports) yield { ...report, ...one };
      },
      backfillRecovery: async () => ({ ...report, source: 'recovery', ...reports[0] }),
    },
    tableExports: {} as never,
  });
}
const exported = ['--exports', 'there'];
const recovered = ['--table', 'orders', '--from', '2026-11-01T00:00Z', '--bucket', 'b-exports'];

describe('flags', () => {
  it.each([
    [[]],
    [['--table', 'orders']],
    [['--exports', 'x', '--bucket', 'b-exports']],
    [['--exports', 'x', '--grain', '60']],
    [['--exports', 'x', '--key', 'orders=']],
    [['--exports', 'x', '--key', 'a,b,c']],
    [['--exports', 'x', '--key', 'a,a']],
    [['--exports', 'x', '--from', '2026-11-01T00:00:00.5Z']],
    [['--table', 'orders', '--from', '2026-11-01T00:00Z']],
    [[...recovered, '--key', 'a']],
    [[...recovered, '--at-once', '301']],
    [[...recovered, '--accept-seam']],
  ])('%j are refused with 2', async (args) => {
    const ran = await backfill(args, {});
    expect(ran).toMatchObject({ exitCode: 2, out: '' });
    expect(ran.err).toMatch(/^error USAGE {2}/);
    expect(ran.calls.filter(({ name }) => name.startsWith('backfill'))).toEqual([]);
  });

  it('of exports reach the work', async () => {
    const ran = await backfill(
      [
        ...[
          '--exports',
          'a',
          '--exports',
          's3://bucket/c',
          '--key',
          'orders=p,s',
          '--key',
          'k=y,z',
        ],
        ...['--from', '2026-11-01', '--to', '2026-11-02T03:04:05Z', '--table-id', 'id'],
        ...['--accept-seam', '--rewind', '--dry-run', '--buckets', '4'],
      ],
      {},
    );
    expect(ran.exitCode).toBe(0);
    expect(ran.calls.find(({ name }) => name === 'backfillExports')!.options).toMatchObject({
      exportUris: ['file:///srv/shop/a', 's3://bucket/c'],
      keys: new Map([
        ['orders', ['p', 's']],
        ['k', ['y', 'z']],
      ]),
      keyOf: expect.any(Function),
      fromMs: Date.UTC(2026, 10, 1),
      toMs: Date.UTC(2026, 10, 2, 3, 4, 5),
      tableId: 'id',
      acceptTableId: null,
      acceptSeam: true,
      rewind: true,
      isDryRun: true,
      buckets: 4,
    });
    const local = await backfill(exported, {});
    expect(local.calls.find(({ name }) => name === 'backfillExports')!.options).toMatchObject({
      keyOf: null,
    });
  });
});

describe('what is printed', () => {
  it('is a line for each table, and the plan before it is done', async () => {
    expect((await backfill(exported, {})).out).toBe(
      'orders  fresh to 2026-11-01T03:00:00Z; loaded 1 full export, merged 3 of 3 windows, in 4.0 s\n',
    );
    expect((await backfill(exported, { action: 'nothing' })).out).toBe(
      'orders  fresh to 2026-11-01T03:00:00Z; nothing to do\n',
    );
    const planned = await backfill(exported, { action: 'planned', watermark: null });
    expect(planned.out.split('\n')).toEqual([
      'orders  2026-11-01T00:00:00Z to 2026-11-01T03:00:00Z: 1 full export to load, 3 windows to merge; not in the lake yet',
      '  full export at 2026-11-01T00:00:00Z, 3 windows to 2026-11-01T03:00:00Z',
      '  about 30 items (15 kB) to read, 17 files to write, 2.0 s, $0.00',
      '    assumed: a thing',
      '',
    ]);
    const json = await backfill([...exported, '--json'], {});
    expect(JSON.parse(json.out)).toEqual(report);
  });

  it('says of what is left aside what heals it, and ends with 3 when newer exports hang on it', async () => {
    const blocked = await backfill(exported, { findings: [gap] });
    expect(blocked.exitCode).toBe(3);
    expect(blocked.err).toBe(
      `error REFUSED_GAP  orders: ${gap.what}\n  2 exports left aside; what connects is in the lake\n  next: ${gap.next}\n`,
    );
    const noted = await backfill(exported, { findings: [{ ...gap, blocking: false }] });
    expect(noted.exitCode).toBe(0);
    expect(noted.err).toContain(`orders: ${gap.what}; to heal it: ${gap.next}`);
    const known = await backfill(exported, {
      findings: [{ ...gap, kind: 'known', blocking: false }],
    });
    expect(known).toMatchObject({ exitCode: 0, err: '' });
  });

  it('is told for every table, whatever becomes of one; a refusal decides the exit code', async () => {
    const failed = { action: 'failed', error: failure } as const;
    const refused = { action: 'refused', error: refusal } as const;
    const ran = await backfill(exported, failed, {}, refused);
    expect(ran.exitCode).toBe(3);
    expect(ran.out.trimEnd().split('\n')).toHaveLength(3);
    expect((await backfill(exported, failed, {})).exitCode).toBe(1);
    expect((await backfill(recovered, refused)).exitCode).toBe(3);
    expect((await backfill(recovered, { requested: 4 })).out).toContain('asked for 4 exports');
  });
});

describe('over the tables of the configuration', () => {
  it('one that is refused and one that cannot be reached are told, and the others are brought in', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tidelake-backfill-'));
    const config = {
      exports: { bucket: 'shop-exports' },
      tables: [
        { name: 'users', lakeTable: 'people' },
        { name: 'staff', lakeTable: 'people' },
        { name: 'orders', region: 'eu-nowhere-1' },
        { name: 'returns' },
      ],
    };
    writeFileSync(join(folder, 'tidelake.config.json'), JSON.stringify(config));
    const run = (...args: readonly string[]): Promise<Ran> =>
      runStubbed(['backfill', '--from', '2026-11-01T00:00Z', '--json', ...args], {
        folder,
        api: {
          backfillRecovery: async (_world, _exports, { target }) => ({
            ...report,
            source: 'recovery',
            table: target.table,
          }),
        },
        openTableExports: async ({ region }) => {
          if (region === 'eu-nowhere-1') throw new TidelakeError(failure);
          return {} as never;
        },
      });
    try {
      const ran = await run();
      const told = ran.out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as BackfillReport)
        .map(({ table, action, error }) => `${table} ${action} ${error?.code ?? ''}`);
      expect(told).toContain('orders failed THROTTLED');
      expect(told).toContain('returns done ');
      expect(told.filter((one) => / refused REFUSED_/.test(one))).not.toEqual([]);
      expect(ran.exitCode).toBe(3);
      // As `run`: without a refusal the first failure decides.
      expect((await run('--table', 'orders')).exitCode).toBe(1);
      expect((await run('--table', 'returns')).exitCode).toBe(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
