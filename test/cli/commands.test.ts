// What each command asks of the lake, what it prints, and its exit code.
// Promises the contract of the command line: results on stdout, errors on stderr, every field of --json.
// Spec: DESIGN "The command".

import { describe, expect, it } from 'vitest';
import { DiskStore } from '../../pipeline/local/disk-store.js';
import type { QueryShelf, RemoteSql } from '../../pipeline/ports.js';
import type { PushRow, SavedQueryRow } from '../../pipeline/reports.js';
import { refuse } from '../../schemas/errors.js';
import {
  loadReport,
  logRow,
  mergeReport,
  refusedReport,
  schemaRow,
  statusRow,
  unloadReport,
  verifyReport,
} from './reports.js';
import { type Ran, runStubbed } from './stub-context.js';

async function* each<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}

function answer(columns: readonly { name: string; type: string }[], rows: readonly unknown[][]) {
  return { query: async () => ({ columns, rows: each(rows) }) };
}

describe('load', () => {
  it('passes an absolute export, the key in order, and the default lake', async () => {
    const ran = await runStubbed(['load', 'exports/full', '--key', 'clientid, created'], {
      api: { loadExport: async () => loadReport },
    });
    expect(ran.exitCode).toBe(0);
    expect(ran.calls.find((call) => call.name === 'loadExport')!.options).toEqual({
      lake: 'file:///srv/shop/lake',
      database: 'lake',
      exportUri: 'file:///srv/shop/exports/full',
      key: ['clientid', 'created'],
      rewind: false,
      allowFiltered: false,
    });
    expect(ran.out).toBe(
      'mystore: loaded 20,000 rows, 21 columns in 1 file (3.1 MB), epoch 1, the table as of 2026-11-20T09:00:00Z, in 1.3 s\n',
    );
    expect(ran.openWorlds).toBe(0);
  });

  it('prints the report itself with --json', async () => {
    const ran = await runStubbed(['load', 'x', '--json'], {
      api: { loadExport: async () => loadReport },
    });
    expect(JSON.parse(ran.out)).toEqual(loadReport);
    expect(ran.out.match(/\n/g)).toHaveLength(1);
  });

  it('warns of a seam on stderr', async () => {
    const ran = await runStubbed(['load', 'x'], {
      api: { loadExport: async () => ({ ...loadReport, seam: true }) },
    });
    expect(ran.err).toContain('--accept-seam');
    expect(ran.out).not.toContain('--accept-seam');
  });

  it('exits 3 with the four facts of a refusal, nothing on stdout, and closes the world', async () => {
    const error = refuse('REFUSED_KEY', 'which?', 'nothing was written', 'name it with --key');
    const ran = await runStubbed(['load', 'x', '--json'], {
      api: { loadExport: async () => Promise.reject(error) },
    });
    expect(ran).toMatchObject({ exitCode: 3, out: '', openWorlds: 0 });
    expect(ran.err).toBe(
      'error REFUSED_KEY  which?\n  nothing was written\n  next: name it with --key\n',
    );
  });
});

describe('merge', () => {
  const args = ['merge', 'a', 'file:///exports/b', '--accept-gap', '--table', 'mystore'];

  it('passes all exports and prints one line for each', async () => {
    const ran = await runStubbed(args, {
      api: { mergeExports: () => each([{ ...mergeReport, action: 'known' }, mergeReport]) },
    });
    expect(ran.exitCode).toBe(0);
    expect(ran.calls.find((call) => call.name === 'mergeExports')!.options).toEqual({
      lake: 'file:///srv/shop/lake',
      database: 'lake',
      table: 'mystore',
      exportUris: ['file:///srv/shop/a', 'file:///exports/b'],
      acceptGap: true,
      acceptSeam: false,
    });
    expect(ran.out).toBe(
      'mystore  2026-11-20T09:00:00Z to 2026-11-20T10:00:00Z  already in the lake\n' +
        'mystore  2026-11-20T09:00:00Z to 2026-11-20T10:00:00Z  120 inserted, 1,380 updated, 7 deleted, in 0.3 s\n',
    );
  });

  it('exits 3 when one export of several is refused, and names the refusal on stderr', async () => {
    const ran = await runStubbed([...args, '--json'], {
      api: { mergeExports: () => each([mergeReport, refusedReport]) },
    });
    expect(ran.exitCode).toBe(3);
    expect(
      ran.out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([mergeReport, refusedReport]);
    expect(ran.err).toContain('error REFUSED_GAP  mystore: the lake ends at 2026-11-20T09:00Z');
    expect(ran.err).toContain('  next: tidelake export mystore --from');
  });

  it.each(['DENIED', 'THROTTLED', 'SERVICE_FAILED'] as const)(
    'exits 1 when %s ended it: it is worth another run',
    async (code) => {
      const error = { code, what: 'a right', meaning: '', next: '' };
      const ran = await runStubbed(args, {
        api: { mergeExports: () => each([mergeReport, { ...refusedReport, error }]) },
      });
      expect(ran.exitCode).toBe(1);
    },
  );

  it('exits 5 when a commit lost its race', async () => {
    const error = { code: 'COMMIT_CONFLICT', what: 'lost', meaning: '', next: '' } as const;
    const ran = await runStubbed(args, {
      api: { mergeExports: () => each([{ ...refusedReport, error }]) },
    });
    expect(ran.exitCode).toBe(5);
  });

  it('passes the snapshot to adopt, which no JavaScript number holds', async () => {
    const id = '6838723292707092921';
    const ran = await runStubbed(['merge', 'a', '--adopt-snapshot', id], {
      api: { mergeExports: () => each([mergeReport]) },
    });
    expect(ran.exitCode).toBe(0);
    const { options } = ran.calls.find((call) => call.name === 'mergeExports')!;
    expect(options.adoptSnapshot).toBe(6838723292707092921n);
    const wrong = await runStubbed(['merge', 'a', '--adopt-snapshot', 'latest']);
    expect(wrong).toMatchObject({ exitCode: 2, out: '' });
    expect(wrong.err).toContain('is not a snapshot id');
  });

  it('needs an export', async () => {
    const ran = await runStubbed(['merge']);
    expect(ran.exitCode).toBe(2);
    expect(ran.err).toContain('error USAGE');
    expect(ran.err).toContain('next: tidelake merge --help');
  });
});

describe('query', () => {
  const columns = [
    { name: 'status', type: 'VARCHAR' },
    { name: 'orders', type: 'BIGINT' },
  ];
  const rows = [
    ['PENDING', 12],
    [null, '9007199254740993'],
  ];

  it('prints a table by default, with numbers to the right', async () => {
    const ran = await runStubbed(['query', 'select 1'], { api: answer(columns, rows) });
    expect(ran.out).toBe(
      'status             orders\n' +
        '───────  ────────────────\n' +
        'PENDING                12\n' +
        'NULL     9007199254740993\n',
    );
  });

  it('prints JSON lines by column name, also for names that repeat and for __proto__', async () => {
    const odd = [
      { name: 'n', type: 'BIGINT' },
      { name: 'n', type: 'BIGINT' },
      { name: '__proto__', type: 'VARCHAR' },
      { name: '1', type: 'VARCHAR' },
    ];
    const ran = await runStubbed(['query', 'select 1', '--json'], {
      api: answer(odd, [[1, null, 'x', { a: 1n }]]),
    });
    expect(ran.out).toBe('{"n":1,"n_2":null,"__proto__":"x","1":{"a":"1"}}\n');
  });

  it('prints CSV by RFC 4180 and disarms formulas in text only', async () => {
    const csv = [
      { name: 't', type: 'VARCHAR' },
      { name: 'd', type: 'DECIMAL(18,2)' },
      { name: 'l', type: 'VARCHAR[]' },
    ];
    const ran = await runStubbed(['query', 'select 1', '--format', 'csv'], {
      api: answer(csv, [
        ['=1+1', '-2.50', ['a']],
        ['a "b", c', null, null],
        ['', '1.00', []],
      ]),
    });
    expect(ran.out).toBe('t,d,l\r\n\'=1+1,-2.50,"[""a""]"\r\n"a ""b"", c",,\r\n"",1.00,[]\r\n');
  });

  it('strips control characters and cuts to the terminal', async () => {
    const ran = await runStubbed(['query', 'select 1'], {
      api: answer([{ name: 'note', type: 'VARCHAR' }], [['\u001b[31mred\u001b[0m\u0007 and long']]),
      columns: 8,
    });
    expect(ran.out.split('\n')[2]).toBe('red and…');
  });

  it('passes parameters and a time, which is UTC when it names no zone', async () => {
    const ran = await runStubbed(
      [
        'query',
        'top',
        '--param',
        'day=2026-11-20',
        '--param',
        'x=a=b',
        '--as-of',
        '2026-11-20T09:00',
      ],
      { api: answer(columns, []) },
    );
    expect(ran.exitCode).toBe(0);
    expect(ran.calls.find((call) => call.name === 'query')!.options).toMatchObject({
      sql: 'top',
      params: { day: '2026-11-20', x: 'a=b' },
      asOf: '2026-11-20T09:00:00.000Z',
    });
  });

  it.each([
    [['query', 'select 1', '--json', '--format', 'csv'], '--format: --json and another format'],
    [['query', 'select 1', '--as-of', 'yesterday'], '--as-of: a time such as'],
    [['query', 'select 1', '--param', 'novalue'], '--param: name=value is expected'],
    [['query', 'select 1', '--table', '../other'], '--table: letters, digits'],
    [['query', 'select 1', '--threads', '0'], '--threads: a whole number from 1 to 64'],
    [['query', 'select 1', '--lake', 'gs://bucket/lake'], 'is not a place that can be reached'],
    [['query', 'select 1', '--lake', 's3://b/lake'], 'is no place in S3'],
    [['query', 'select 1', '--lake', 's3://bucket/a/../b'], 'is no place in S3'],
    [['query', 'select 1', '--catalog', 'glue'], '--catalog: AWS Glue keeps tables of lakes on S3'],
    [['query', 'select 1', '--region', 'Frankfurt'], '--region: a region such as'],
    [['query', 'select 1', '--role-arn', 'admin'], '--role-arn: the ARN of a role'],
    [
      ['query', 'select 1', '--expected-bucket-owner', 'me'],
      '--expected-bucket-owner: an account id',
    ],
    [['demo', '--lake', 's3://bucket/lake'], '--lake: a folder of this machine is expected'],
    [['load', 'x', '--key', 'a,b,c'], '--key: one or two attribute names'],
    [
      ['load', 'x', '--buckets', '4', '--partition', 'truncate(created,10)'],
      '--partition: a table',
    ],
    [['simulate', '--out', 'x', '--key-shape', 'sn'], '--key-shape: only the data set wild'],
  ])('refuses %j with exit 2 before opening anything', async (args, said) => {
    const ran = await runStubbed(args, { api: answer(columns, []) });
    expect(ran).toMatchObject({ exitCode: 2, out: '', openWorlds: 0 });
    expect(ran.err).toContain('error USAGE  ');
    expect(ran.err).toContain(said);
    expect(ran.calls).toEqual([]);
  });
});

describe('queries, and query in Athena', () => {
  const columns = [{ name: 'n', type: 'BIGINT' }];
  const sql: RemoteSql = { run: async () => ({ columns, rows: each([]) }), stop: async () => {} };
  const shelf = {} as QueryShelf;
  const pushed: readonly PushRow[] = [
    { kind: 'query', name: 'a/b', action: 'create', reason: null },
    { kind: 'statement', name: 'a_b', action: 'keep', reason: null },
    { kind: 'query', name: 'a/c', action: 'skip', reason: 'needs --param column=name' },
  ];

  it('asks the workgroup that is named', async () => {
    const ran = await runStubbed(
      [
        'query',
        'top',
        '--engine',
        'athena',
        '--workgroup',
        'bi',
        '--output',
        's3://results/x/',
        '--as-of',
        '2026-11-20',
        '--region',
        'eu-west-1',
      ],
      { api: { queryAthena: async () => ({ columns, rows: each([]) }) }, athena: { sql, shelf } },
    );
    expect(ran.exitCode).toBe(0);
    expect(ran.calls.find((call) => call.name === 'openAthena')!.options).toMatchObject({
      aws: { region: 'eu-west-1' },
      workgroup: 'bi',
      output: 's3://results/x/',
    });
    expect(ran.calls.some((call) => call.name === 'queryAthena')).toBe(true);
  });

  it('stops the query there when it is interrupted', async () => {
    let stops = 0;
    const releases = new Set<() => Promise<void>>();
    const ran = await runStubbed(['query', 'select 1', '--engine', 'athena', '--workgroup', 'bi'], {
      api: {
        queryAthena: async () => {
          for (const release of releases) await release();
          return { columns, rows: each([]) };
        },
      },
      athena: { sql: { ...sql, stop: async () => void stops++ }, shelf },
      releases,
    });
    expect([ran.exitCode, stops, releases.size]).toEqual([0, 1, 0]);
  });

  it.each([
    [['query', 'x', '--engine', 'athena'], '--workgroup: it is needed'],
    [['query', 'x', '--workgroup', 'bi'], '--workgroup: it goes with --engine athena'],
    [['query', 'x', '--output', 's3://a/'], '--output: it goes with --engine athena'],
    [
      ['query', 'x', '--engine', 'athena', '--workgroup', 'bi', '--output', '/tmp'],
      '--output: s3://',
    ],
    [['queries', 'push', '--workgroup', 'a b'], '--workgroup: letters'],
  ])('refuses %j', async (args, said) => {
    const ran = await runStubbed(args, { athena: { sql, shelf } });
    expect([ran.exitCode, ran.calls]).toEqual([2, []]);
    expect(ran.err).toContain(said);
  });

  it('lists what is shipped, and shows one for each engine', async () => {
    const store = new DiskStore();
    const list = await runStubbed(['queries', '--json'], { store });
    const rows = list.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as SavedQueryRow);
    expect(rows.length).toBeGreaterThan(40);
    expect(rows.find((row) => row.name === 'duplicates')).toEqual({
      kind: 'query',
      name: 'duplicates',
      topic: 'lake',
      title: 'Duplicates of a business key',
      question: 'Which values of a column that should be unique stand in several rows?',
      params: ['table identifier', 'column identifier', 'at_least long = 2'],
      tables: [':table'],
      cost: 'scans one column',
    });
    const show = (more: readonly string[]): Promise<Ran> =>
      runStubbed(['queries', 'show', 'windows', ...more], { store });
    expect((await show([])).out).toMatch(/^-- title: Windows\n[\s\S]*element_at\(summary/);
    expect((await show(['--engine', 'duckdb'])).out).toMatch(/summary\['tidelake.kind'\]/);
    expect((await runStubbed(['queries', 'show', 'nothing'], { store })).exitCode).toBe(2);
  });

  it('says what a push did', async () => {
    const args = ['queries', 'push', '--workgroup', 'bi', '--param', 'column=x', '--prune'];
    const options = { api: { pushQueries: async () => pushed }, athena: { sql, shelf } };
    const ran = await runStubbed(args, options);
    expect(ran.out).toBe(
      'create  saved query a/b\nskip    saved query a/c: needs --param column=name\nworkgroup bi: 1 item changed, 1 as they should be\n',
    );
    expect((await runStubbed([...args, '--dry-run'], options)).out).toContain('1 item to change');
    expect((await runStubbed([...args, '--json'], options)).out).toBe(
      pushed.map((row) => `${JSON.stringify(row)}\n`).join(''),
    );
  });
});

describe('status, log, schema, verify, unload', () => {
  it('says in one line how fresh a table is', async () => {
    const ran = await runStubbed(['status'], { api: { status: async () => [statusRow] } });
    expect(ran.out).toBe(
      'mystore  fresh to 2026-11-20T10:00:00Z, 2 h 5 min ago; 20,113 rows, 3 data files, 1 delete file, 3.2 MB, 2 snapshots, back to 2026-11-20T09:00:00Z, epoch 1\n',
    );
  });

  it('shows gaps and problems below the table', async () => {
    const gap = { from: '2026-11-20T08:00:00.000Z', to: '2026-11-20T09:00:00.000Z', kind: 'gap' };
    const row = {
      ...statusRow,
      gaps: [gap],
      health: 'refused',
      problem: 'another writer',
    } as const;
    const ran = await runStubbed(['status'], { api: { status: async () => [row] } });
    expect(ran.out.split('\n').slice(1)).toEqual([
      '  gap accepted: 2026-11-20T08:00:00Z to 2026-11-20T09:00:00Z, until the next load',
      '  refused: another writer',
      '',
    ]);
  });

  it('says on stderr that there are no tables, and prints nothing', async () => {
    const ran = await runStubbed(['status', '--json'], { api: { status: async () => [] } });
    expect(ran).toMatchObject({ exitCode: 0, out: '' });
    expect(ran.err).toContain('no tables in database lake of lake');
  });

  it.each([
    ['status', statusRow],
    ['log', logRow],
    ['schema', schemaRow],
    ['verify', verifyReport],
  ] as const)('%s --json prints every field of every row, one per line', async (name, row) => {
    const ran = await runStubbed([name, '--json'], { api: { [name]: async () => [row, row] } });
    expect(
      ran.out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([row, row]);
  });

  it('shows the log as a table', async () => {
    const ran = await runStubbed(['log', '--table', 'mystore'], {
      api: { log: async () => [logRow] },
    });
    expect(ran.out).toMatchInlineSnapshot(`
      "kind   from                  to                    inserted  updated  deleted    rows  files  epoch             snapshot
      ─────  ────────────────────  ────────────────────  ────────  ───────  ───────  ──────  ─────  ─────  ───────────────────
      merge  2026-11-20T09:00:00Z  2026-11-20T10:00:00Z       120    1,380        7  20,113      3      1  5781947118336215155
      "
    `);
  });

  it('shows the schema as a table', async () => {
    const ran = await runStubbed(['schema'], { api: { schema: async () => [schemaRow] } });
    expect(ran.out).toMatchInlineSnapshot(`
      "column    type    attribute  DynamoDB  present  misfits
      ────────  ──────  ─────────  ────────  ───────  ───────
      order_id  string  orderId    S          20,113        0
      "
    `);
  });

  it('sets the type of a column', async () => {
    const report = {
      action: 'retyped',
      reason: null,
      database: 'lake',
      table: 'mystore',
      column: 'qty',
      type: 'decimal(38,6)',
      snapshotId: '1',
      misfits: 0,
      seconds: 2,
    } as const;
    const args = ['schema', 'set', 'qty', 'decimal(38,6)', '--table', 'mystore'];
    const ran = await runStubbed(args, { api: { setColumnType: async () => report } });
    expect(ran.calls.find((call) => call.name === 'setColumnType')!.options).toMatchObject({
      table: 'mystore',
      column: 'qty',
      type: 'decimal(38,6)',
    });
    expect(ran.out).toBe(
      'mystore.qty is decimal(38,6) now, 0 values do not fit and stay exact in _misfits, in 2.0 s\n',
    );
  });

  it('exits 4 when a check fails, naming it', async () => {
    const broken = {
      ...verifyReport,
      ok: false,
      checks: [{ name: 'data files', ok: false, detail: 'part-1.parquet is missing' }],
    };
    const ran = await runStubbed(['verify'], { api: { verify: async () => [broken] } });
    expect(ran.exitCode).toBe(4);
    expect(ran.out).toBe('FAILED  mystore  data files: part-1.parquet is missing\n');
    expect(ran.err).toContain('error CHECK_FAILED  mystore: 1 of 1 check failed: data files');
  });

  it('unloads to an absolute folder', async () => {
    const ran = await runStubbed(['unload', '--out', './back', '--as-of', 'snapshot:12'], {
      api: { unload: async () => unloadReport },
    });
    expect(ran.calls.find((call) => call.name === 'unload')!.options).toMatchObject({
      outUri: 'file:///srv/shop/back',
      asOf: 'snapshot:12',
    });
    expect(ran.out).toBe(
      '20,113 items in 2 files (2.9 MB) at back, the table as of 2026-11-20T10:00:00Z, in 0.8 s\n',
    );
  });
});

describe('a snapshot that was adopted', () => {
  const watermark = '2026-11-20T09:00:00.000Z';

  it('is told by status', async () => {
    const adopted = [{ snapshotId: '77', watermark, at: '2026-11-20T10:00:00.000Z' }];
    const ran = await runStubbed(['status'], {
      api: { status: async () => [{ ...statusRow, adopted }] },
    });
    expect(ran.out).toContain(
      'snapshot 77 of another program adopted as 2026-11-20T09:00:00Z, until the next load',
    );
  });

  it('is marked by log, with the instant it was declared to stand for', async () => {
    const foreign = { ...logRow, operation: 'overwrite', kind: null, from: null, to: null };
    const ran = await runStubbed(['log'], {
      api: { log: async () => [{ ...foreign, adopted: watermark }, foreign] },
      columns: 300,
    });
    const [, , first, second] = ran.out.split('\n');
    expect(first).toMatch(/^overwrite, adopted +2026-11-20T09:00:00Z /);
    expect(second).toMatch(/^overwrite +120 /);
  });
});
