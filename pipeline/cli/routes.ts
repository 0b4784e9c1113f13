// The command line: every command with its arguments and flags, in one place.
// Promises that nothing but these definitions is loaded until a command runs.
// Spec: DESIGN "The command".

import type { FlagParametersForType, RouteMap } from '@stricli/core';
import { buildCommand, buildRouteMap } from '@stricli/core';
import type { BackfillFlags } from './commands/backfill.js';
import type { CompactFlags } from './commands/compact.js';
import type { DemoFlags } from './commands/demo.js';
import type { ExpireFlags } from './commands/expire.js';
import type { ExportFlags } from './commands/export.js';
import type { InfraPolicyFlags } from './commands/infra.js';
import type { LoadFlags } from './commands/load.js';
import type { MergeFlags } from './commands/merge.js';
import type { PlanFlags } from './commands/plan.js';
import type { QueriesPushFlags, QueriesShowFlags } from './commands/queries.js';
import type { QueryFlags } from './commands/query.js';
import type { RunFlags } from './commands/run.js';
import type { SimulateFlags } from './commands/simulate.js';
import type { SimulatorServeFlags } from './commands/simulator.js';
import type { UnloadFlags } from './commands/unload.js';
import type { CliContext } from './context.js';
import type { GlobalFlags } from './flags.js';
import { globalFlags, parseNumber, parseSnapshotId, parseText } from './flags.js';
import { datasets, keyShapes } from './simulator-module.js';
import type { TableJobFlags } from './table-jobs.js';

const exportPlace =
  'A folder with a manifest-summary.json, that file itself, or a parent folder that holds exports';

/** The flags of one table, for `plan`, `run` and `export`. */
const tableJobFlags: FlagParametersForType<TableJobFlags, CliContext> = {
  source: {
    kind: 'parsed',
    parse: parseText,
    optional: true,
    brief: 'DynamoDB table, by name or ARN (else named like --table)',
    placeholder: 'name',
  },
  bucket: {
    kind: 'parsed',
    parse: parseText,
    optional: true,
    brief: 'Bucket that exports are put in',
    placeholder: 'name',
  },
  prefix: {
    kind: 'parsed',
    parse: parseText,
    optional: true,
    brief: 'Folder of exports in the bucket (else its root)',
    placeholder: 'folder',
  },
  bucketOwner: {
    kind: 'parsed',
    parse: parseText,
    optional: true,
    brief: 'Account that owns the bucket, when it is another one',
    placeholder: 'account',
  },
  sse: {
    kind: 'enum',
    values: ['AES256', 'KMS'],
    optional: true,
    brief: 'How exports are encrypted (else as DynamoDB does by itself)',
  },
  kmsKey: {
    kind: 'parsed',
    parse: parseText,
    optional: true,
    brief: 'KMS key of exports, with --sse KMS',
    placeholder: 'id-or-arn',
  },
  grain: {
    kind: 'parsed',
    parse: parseNumber,
    optional: true,
    brief: 'Minutes of a window, a divisor of a day, 15 at least (else 60)',
    placeholder: 'minutes',
  },
  view: {
    kind: 'enum',
    values: ['NEW_AND_OLD_IMAGES', 'NEW_IMAGE'],
    optional: true,
    brief: 'Images in windows (else NEW_AND_OLD_IMAGES)',
  },
};

const reseedFlags: FlagParametersForType<{ readonly reseed?: boolean | undefined }, CliContext> = {
  reseed: {
    kind: 'boolean',
    optional: true,
    withNegated: false,
    brief: 'Where the chain cannot go on, begin a new epoch with a full export',
  },
};

const demo = buildCommand<DemoFlags, [], CliContext>({
  loader: async () => (await import('./commands/demo.js')).demo,
  parameters: {
    flags: {
      items: {
        kind: 'parsed',
        parse: parseNumber,
        default: '20000',
        brief: 'Items in the table',
        placeholder: 'n',
      },
      hours: {
        kind: 'parsed',
        parse: parseNumber,
        default: '6',
        brief: 'Hourly windows after the full export',
        placeholder: 'n',
      },
      simulator: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief: "Over S3 and Glue, at a simulator's endpoints",
      },
      week: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief: 'A virtual week of plan and run over a living table, at those endpoints',
      },
      days: {
        kind: 'parsed',
        parse: parseNumber,
        optional: true,
        brief: 'The same for so many days',
        placeholder: 'n',
      },
      ...globalFlags,
      lake: {
        kind: 'parsed',
        parse: parseText,
        optional: true,
        brief: 'Folder for the demo: new, empty, or from an earlier demo (else .tidelake/demo)',
        placeholder: 'folder',
      },
    },
  },
  docs: {
    brief:
      'The whole job on a simulated table: exports, load, merge, query, check, and the way back',
    fullDescription:
      'Simulates a DynamoDB table of orders with a past, loads its full export, merges its hourly exports, runs saved queries, checks every promise, gives the table back as DynamoDB JSON and proves that it is the same. Needs no AWS account.',
  },
});

const simulate = buildCommand<SimulateFlags, [], CliContext>({
  loader: async () => (await import('./commands/simulate.js')).simulate,
  parameters: {
    flags: {
      out: {
        kind: 'parsed',
        parse: parseText,
        brief: 'Folder for the exports',
        placeholder: 'folder',
      },
      items: {
        kind: 'parsed',
        parse: parseNumber,
        default: '20000',
        brief: 'Items in the table',
        placeholder: 'n',
      },
      windows: {
        kind: 'parsed',
        parse: parseNumber,
        default: '6',
        brief: 'Hourly windows after the full export',
        placeholder: 'n',
      },
      view: {
        kind: 'enum',
        values: ['NEW_AND_OLD_IMAGES', 'NEW_IMAGE'],
        default: 'NEW_AND_OLD_IMAGES',
        brief: 'Images in the incremental exports',
      },
      seed: {
        kind: 'parsed',
        parse: parseNumber,
        default: '1',
        brief: 'The same seed gives the same bytes',
        placeholder: 'n',
      },
      dataset: {
        kind: 'enum',
        values: datasets,
        default: 'mystore',
        brief: 'Orders of a shop, or every oddity DynamoDB allows',
      },
      keyShape: {
        kind: 'enum',
        values: keyShapes,
        optional: true,
        brief: 'Types of partition and sort key, for the data set wild',
      },
      ...globalFlags,
    },
  },
  docs: {
    brief: "Write a simulated table's full and incremental exports, faithful to AWS's format",
  },
});

const simulatorServe = buildCommand<SimulatorServeFlags, [], CliContext>({
  loader: async () => (await import('./commands/simulator.js')).simulatorServe,
  parameters: {
    flags: {
      dir: {
        kind: 'parsed',
        parse: parseText,
        brief: 'Folder of its state, made when missing; the same folder goes on where it was',
        placeholder: 'folder',
      },
      port: {
        kind: 'parsed',
        parse: parseNumber,
        default: '4566',
        brief: 'Port to listen on; 0 takes any that is free',
        placeholder: 'n',
      },
      host: {
        kind: 'parsed',
        parse: parseText,
        default: '127.0.0.1',
        brief: 'Address to listen on; nothing is verified, so keep it to this machine',
        placeholder: 'address',
      },
      faults: {
        kind: 'parsed',
        parse: parseText,
        optional: true,
        brief: 'Requests that are to go wrong: a plan as JSON, or a file of it',
        placeholder: 'plan',
      },
      athenaTrino: {
        kind: 'parsed',
        parse: parseText,
        optional: true,
        brief:
          'Trino that answers for Athena, over a catalog of this Glue and S3; DuckDB otherwise',
        placeholder: 'http://host:port/catalog',
      },
      json: globalFlags.json,
    },
  },
  docs: {
    brief: "Answer for AWS's endpoints on this machine, until interrupted",
    fullDescription:
      'Serves S3, Glue and Athena over HTTP for any SDK that is given the endpoint; Athena answers with DuckDB, or with the Trino named. State is kept in a folder, so that it can be killed and started again. Signatures are not verified. GET /_simulator/requests tells what was asked; PUT /_simulator/faults changes the plan.',
    customUsage: [
      { input: '--dir ./aws', brief: 'On port 4566' },
      {
        input:
          '--dir ./aws --faults \'[{"operation":"PutObject","every":10,"do":{"fault":"error","code":"SlowDown"}}]\'',
        brief: 'Each tenth PutObject is a 503',
      },
    ],
  },
});

const simulator = buildRouteMap({
  routes: { serve: simulatorServe },
  docs: { brief: 'AWS on this machine: simulator serve answers S3, Glue and Athena over HTTP' },
});

const load = buildCommand<LoadFlags, [string], CliContext>({
  loader: async () => (await import('./commands/load.js')).load,
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ brief: exportPlace, parse: parseText, placeholder: 'export' }],
    },
    flags: {
      key: {
        kind: 'parsed',
        parse: parseText,
        optional: true,
        brief: 'Key attributes, partition key first (else those of the lake table)',
        placeholder: 'a,b',
      },
      buckets: {
        kind: 'parsed',
        parse: parseNumber,
        optional: true,
        brief: 'Buckets of the partition key (else by size)',
        placeholder: 'n',
      },
      partition: {
        kind: 'parsed',
        parse: parseText,
        optional: true,
        brief: 'Partition by a transform of a key attribute instead, e.g. truncate(created,10)',
        placeholder: 'transform',
      },
      rewind: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief: "Accept an export older than the lake's watermark",
      },
      acceptTableId: {
        kind: 'parsed',
        parse: parseText,
        optional: true,
        brief: 'Accept this table in place of the one before',
        placeholder: 'id',
      },
      allowFiltered: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief: 'Accept an export that holds only some of the items',
      },
      naming: {
        kind: 'enum',
        values: ['snake_case', 'lower_case'],
        optional: true,
        brief:
          'How columns of a new table are named (else from tidelake.config.json, else snake_case)',
      },
      ...globalFlags,
    },
  },
  docs: {
    brief: 'Load a full export: a new epoch of the lake table',
    fullDescription:
      'Checks every byte of a full export, types it, and makes it the content of the lake table in one commit. The same export again is nothing to do. Readers see the old content or the new.',
  },
});

const merge = buildCommand<MergeFlags, string[], CliContext>({
  loader: async () => (await import('./commands/merge.js')).merge,
  parameters: {
    positional: {
      kind: 'array',
      minimum: 1,
      parameter: { brief: exportPlace, parse: parseText, placeholder: 'export' },
    },
    flags: {
      acceptGap: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief: 'Go on after a gap; its changes stay lost until the next load, and status shows it',
      },
      acceptSeam: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief:
          'Go on from a full export taken within a second; status shows it until the next load',
      },
      adoptSnapshot: {
        kind: 'parsed',
        parse: parseSnapshotId,
        optional: true,
        brief:
          "Declare that the current snapshot, another program's, stands for the watermark; status shows it until the next load",
        placeholder: 'id',
      },
      retype: {
        kind: 'enum',
        values: ['auto', 'ask'],
        optional: true,
        brief:
          'Whether number columns become wider by themselves (else from tidelake.config.json, else auto)',
      },
      retypeBytesMax: {
        kind: 'parsed',
        parse: parseNumber,
        optional: true,
        brief: 'Bytes of data files up to which they do (else 10 GiB)',
        placeholder: 'bytes',
      },
      rewrite: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief:
          'Write every partition that is touched anew, and leave no delete files in it; by default the cheaper way is chosen',
      },
      ...globalFlags,
    },
  },
  docs: {
    brief: 'Merge incremental exports, in the order of their windows',
    fullDescription:
      'Each window that continues the lake exactly is one commit; windows already in the lake are nothing to do; anything else is refused with the command that repairs it, and the exit code is 3. Of a parent folder, the contiguous chain that reaches furthest is taken.',
  },
});

const plan = buildCommand<PlanFlags, [], CliContext>({
  loader: async () => (await import('./commands/plan.js')).plan,
  parameters: { flags: { ...reseedFlags, ...tableJobFlags, ...globalFlags } },
  docs: {
    brief: 'What the next round would do and cost; nothing is done',
    fullDescription:
      'Looks at the lake, at the DynamoDB table and its recovery, and at its exports, and prints what run would do now: exports it would ask for, windows it would merge, and the list price. Asks for nothing and changes nothing.',
  },
});

const run = buildCommand<RunFlags, [], CliContext>({
  loader: async () => (await import('./commands/run.js')).run,
  parameters: {
    flags: {
      wait: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief: 'Stay until the newest window that can be exported now is in the lake',
      },
      ...reseedFlags,
      maxSeconds: {
        kind: 'parsed',
        parse: parseNumber,
        optional: true,
        brief: 'Be over after so many seconds; what is left is for the next run',
        placeholder: 'n',
      },
      graceSeconds: {
        kind: 'parsed',
        parse: parseNumber,
        optional: true,
        brief: 'Time from SIGTERM to SIGKILL where this runs (else 30)',
        placeholder: 'n',
      },
      metrics: {
        kind: 'enum',
        values: ['emf'],
        optional: true,
        brief: "Print metrics too, as lines in CloudWatch's embedded metric format",
      },
      ...tableJobFlags,
      ...globalFlags,
    },
  },
  docs: {
    brief: 'One round of the scheduled job: ask for exports, load and merge what is complete',
    fullDescription:
      'Asks DynamoDB for the full export and the windows that the lake lacks, loads and merges those that are complete, and ends. Run it every few minutes or every hour, twice at once, after days of outage or after a crash: it looks again and goes on. Nothing is read from the live table.',
    customUsage: [
      { input: '--table orders --bucket my-exports --lake s3://my-lake', brief: 'One round' },
      {
        input: '--table orders --bucket my-exports --lake s3://my-lake --wait',
        brief: 'Until the lake is fresh',
      },
    ],
  },
});

const exportOne = buildCommand<ExportFlags, [], CliContext>({
  loader: async () => (await import('./commands/export.js')).exportTable,
  parameters: {
    flags: {
      full: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief: 'The table at the newest whole second that can be exported',
      },
      at: {
        kind: 'parsed',
        parse: parseText,
        optional: true,
        brief: 'The table at this time (UTC, whole seconds)',
        placeholder: 'time',
      },
      from: {
        kind: 'parsed',
        parse: parseText,
        optional: true,
        brief: 'Start of a window, inclusive',
        placeholder: 'time',
      },
      to: {
        kind: 'parsed',
        parse: parseText,
        optional: true,
        brief: 'End of the window, exclusive: 15 minutes to 24 hours later',
        placeholder: 'time',
      },
      wait: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief: 'Stay until the export is complete, or has failed',
      },
      ...tableJobFlags,
      ...globalFlags,
    },
  },
  docs: {
    brief: 'Ask DynamoDB for one export, full or of a window, where run looks for it',
    fullDescription:
      'An export that is there already, or in progress, is shown and not asked for again. What cannot be exported yet and what cannot be exported any more are different refusals.',
    customUsage: [
      { input: '--table orders --bucket my-exports --full --wait', brief: 'The table, now' },
      {
        input: '--table orders --bucket my-exports --from 2026-11-20T09:00Z --to 2026-11-20T10:00Z',
        brief: 'An hour of changes',
      },
    ],
  },
});

const backfill = buildCommand<BackfillFlags, [], CliContext>({
  loader: async () => (await import('./commands/backfill.js')).backfill,
  parameters: {
    flags: {
      exports: {
        kind: 'parsed',
        parse: parseText,
        optional: true,
        variadic: true,
        brief:
          'Folder or s3:// prefix that exports lie below, of any tables; may be given several times',
        placeholder: 'uri',
      },
      from: {
        kind: 'parsed',
        parse: parseText,
        optional: true,
        brief:
          'Where the past is to begin (UTC, whole seconds): at most 35 days ago, without --exports',
        placeholder: 'time',
      },
      to: {
        kind: 'parsed',
        parse: parseText,
        optional: true,
        brief: 'Where it is to end (else as late as there is something)',
        placeholder: 'time',
      },
      dryRun: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief: 'Say what would be done, how long it takes and what it costs, and do nothing',
      },
      key: {
        kind: 'parsed',
        parse: parseText,
        optional: true,
        variadic: true,
        brief: 'Key attributes of a table, partition key first: TABLE=A,B (A,B: of every table)',
        placeholder: 'table=a,b',
      },
      tableId: {
        kind: 'parsed',
        parse: parseText,
        optional: true,
        brief: 'Only the DynamoDB table of this id; --table then names its lake table',
        placeholder: 'id',
      },
      acceptTableId: {
        kind: 'parsed',
        parse: parseText,
        optional: true,
        brief: 'Go on with this table in place of the one before',
        placeholder: 'id',
      },
      acceptSeam: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief:
          'Go on from a full export taken within a second; status shows it until the next load',
      },
      rewind: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief: 'Take a lake table back that begins later',
      },
      buckets: {
        kind: 'parsed',
        parse: parseNumber,
        optional: true,
        brief: 'Buckets of the partition key (else by size)',
        placeholder: 'n',
      },
      partition: {
        kind: 'parsed',
        parse: parseText,
        optional: true,
        brief: 'Partition by a transform of a key attribute instead',
        placeholder: 'transform',
      },
      atOnce: {
        kind: 'parsed',
        parse: parseNumber,
        optional: true,
        brief: 'Exports in progress at once (else 30)',
        placeholder: 'n',
      },
      maxSeconds: {
        kind: 'parsed',
        parse: parseNumber,
        optional: true,
        brief: 'Be over after so many seconds; what is left is for the next run',
        placeholder: 'n',
      },
      graceSeconds: {
        kind: 'parsed',
        parse: parseNumber,
        optional: true,
        brief: 'Time from SIGTERM to SIGKILL where this runs (else 30)',
        placeholder: 'n',
      },
      ...tableJobFlags,
      ...globalFlags,
    },
  },
  docs: {
    brief: 'Rebuild the past: from exports that lie somewhere, or from point-in-time recovery',
    fullDescription:
      'With --exports, finds the exports of one or many tables below a place, sorts them into full exports and chains of windows, loads and merges what connects, and names what does not with what would heal it. Without, asks DynamoDB for a full export at --from and for the windows after it, several at once, and merges them in order. Either way it goes on where the lake stands when it is run again, and a live table is never read.',
    customUsage: [
      { input: '--exports s3://my-exports --lake s3://my-lake --dry-run', brief: 'What is there' },
      {
        input: '--exports ./exports --key orders=clientid,created --lake ./lake',
        brief: 'All of it, on this machine',
      },
      {
        input: '--table orders --from 2026-11-01T00:00Z --bucket my-exports --lake s3://my-lake',
        brief: 'Out of point-in-time recovery, hour by hour',
      },
    ],
  },
});

const query = buildCommand<QueryFlags, [string], CliContext>({
  loader: async () => (await import('./commands/query.js')).query,
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [
        {
          brief: 'SQL, or the name of a saved query',
          parse: parseText,
          placeholder: 'sql-or-name',
        },
      ],
    },
    flags: {
      param: {
        kind: 'parsed',
        parse: parseText,
        optional: true,
        variadic: true,
        brief: 'Parameter of a saved query; may be given several times',
        placeholder: 'name=value',
      },
      asOf: {
        kind: 'parsed',
        parse: parseText,
        optional: true,
        brief: 'The table as it was at a time of its data (UTC), or snapshot:ID',
        placeholder: 'time',
      },
      format: {
        kind: 'enum',
        values: ['table', 'json', 'csv'],
        optional: true,
        brief: 'How rows are printed [default = table]',
      },
      engine: {
        kind: 'enum',
        values: ['duckdb', 'athena'],
        optional: true,
        brief: 'Who answers: DuckDB here, or Athena in AWS [default = duckdb]',
      },
      workgroup: {
        kind: 'parsed',
        parse: parseText,
        optional: true,
        brief: 'Athena workgroup, with --engine athena',
        placeholder: 'name',
      },
      output: {
        kind: 'parsed',
        parse: parseText,
        optional: true,
        brief: "Where Athena puts results (else the workgroup's own place)",
        placeholder: 's3-uri',
      },
      ...globalFlags,
    },
  },
  docs: {
    brief: 'Ask the lake in SQL',
    fullDescription:
      "Every table of the database is a view of its name. SQL is DuckDB's, with --engine athena Athena's; saved queries are for both. With --format csv, text that a spreadsheet would run as a formula gets a ' in front; json is exact.",
    customUsage: [
      { input: '"select count(*) from mystore"', brief: 'Rows of a table' },
      {
        input: '"select status, count(*) from mystore group by 1" --format csv',
        brief: 'For a spreadsheet',
      },
      { input: '"from mystore" --as-of 2026-11-20T09:00Z', brief: 'The table as it was' },
    ],
  },
});

const queriesList = buildCommand<GlobalFlags, [], CliContext>({
  loader: async () => (await import('./commands/queries.js')).queriesList,
  parameters: { flags: globalFlags },
  docs: { brief: 'Saved queries, views and checks, with the questions they answer' },
});

const queriesShow = buildCommand<QueriesShowFlags, [string], CliContext>({
  loader: async () => (await import('./commands/queries.js')).queriesShow,
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'Name of a saved query', parse: parseText, placeholder: 'name' }],
    },
    flags: {
      engine: {
        kind: 'enum',
        values: ['duckdb', 'athena'],
        optional: true,
        brief: 'Whose SQL to show [default = athena]',
      },
      ...globalFlags,
    },
  },
  docs: { brief: 'The text of a saved query' },
});

const queriesPush = buildCommand<QueriesPushFlags, [], CliContext>({
  loader: async () => (await import('./commands/queries.js')).queriesPush,
  parameters: {
    flags: {
      workgroup: {
        kind: 'parsed',
        parse: parseText,
        brief: 'Athena workgroup',
        placeholder: 'name',
      },
      param: {
        kind: 'parsed',
        parse: parseText,
        optional: true,
        variadic: true,
        brief: 'A name or an instant that stands in the text, e.g. column=order_id',
        placeholder: 'name=value',
      },
      dryRun: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief: 'Say what would be done, and do nothing',
      },
      prune: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief: 'Remove what Tidelake pushed before and would not push now',
      },
      ...globalFlags,
    },
  },
  docs: {
    brief: 'Bring the saved queries to an Athena workgroup',
    fullDescription:
      'For every table of the database (or --table), each saved query that is about it becomes a saved query of the workgroup, and a prepared statement for EXECUTE. Pushing again changes only what is different. What others saved is never touched.',
  },
});

const queries = buildRouteMap({
  routes: { list: queriesList, show: queriesShow, push: queriesPush },
  defaultCommand: 'list',
  docs: { brief: 'Saved queries: list, show NAME, push to an Athena workgroup' },
});

const status = buildCommand<GlobalFlags, [], CliContext>({
  loader: async () => (await import('./commands/status.js')).status,
  parameters: { flags: globalFlags },
  docs: { brief: 'How fresh and how healthy each lake table is' },
});

const log = buildCommand<GlobalFlags, [], CliContext>({
  loader: async () => (await import('./commands/log.js')).log,
  parameters: { flags: globalFlags },
  docs: { brief: 'Snapshots of a lake table and the windows they came from, oldest first' },
});

const schemaShow = buildCommand<GlobalFlags, [], CliContext>({
  loader: async () => (await import('./commands/schema.js')).schemaShow,
  parameters: { flags: globalFlags },
  docs: { brief: 'Columns of a lake table, the attributes they come from, and misfits' },
});

const schemaSet = buildCommand<GlobalFlags, [string, string], CliContext>({
  loader: async () => (await import('./commands/schema.js')).schemaSet,
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [
        { brief: 'Name of the column', parse: parseText, placeholder: 'column' },
        { brief: 'Its new type, e.g. decimal(38,6)', parse: parseText, placeholder: 'type' },
      ],
    },
    flags: globalFlags,
  },
  docs: { brief: 'Give a column another type; values that do not fit stay as misfits, exact' },
});

const schema = buildRouteMap({
  routes: { show: schemaShow, set: schemaSet },
  defaultCommand: 'show',
  docs: { brief: 'Columns of a lake table; schema set COLUMN TYPE changes one' },
});

const verify = buildCommand<GlobalFlags, [], CliContext>({
  loader: async () => (await import('./commands/verify.js')).verify,
  parameters: { flags: globalFlags },
  docs: { brief: 'Check every promise about a lake table on its files' },
});

const dryRun = {
  kind: 'boolean',
  optional: true,
  withNegated: false,
  brief: 'Only say what would be done',
} as const;

const compact = buildCommand<CompactFlags, [], CliContext>({
  loader: async () => (await import('./commands/compact.js')).compact,
  parameters: {
    flags: {
      partition: {
        kind: 'parsed',
        parse: parseText,
        optional: true,
        brief: 'Only this partition, by its folder, e.g. clientid_bucket=3',
        placeholder: 'folder',
      },
      dryRun,
      ...globalFlags,
    },
  },
  docs: {
    brief: 'Write partitions with small files or delete files anew; rows and watermark stay',
  },
});

const expire = buildCommand<ExpireFlags, [], CliContext>({
  loader: async () => (await import('./commands/expire.js')).expire,
  parameters: {
    flags: {
      keepDays: {
        kind: 'parsed',
        parse: parseNumber,
        optional: true,
        brief: 'Days of data before the watermark that stay (else as the table says, five years)',
        placeholder: 'n',
      },
      keepSnapshots: {
        kind: 'parsed',
        parse: parseNumber,
        optional: true,
        brief: 'Newest snapshots that stay in any case (else as the table says, 100)',
        placeholder: 'n',
      },
      graceHours: {
        kind: 'parsed',
        parse: parseNumber,
        optional: true,
        brief:
          'Hours that a snapshot stays after the next one was committed, for its readers (else 6)',
        placeholder: 'n',
      },
      removeOrphans: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief: 'Also remove files that nothing refers to, older than three days',
      },
      dryRun,
      ...globalFlags,
    },
  },
  docs: {
    brief: 'Let old snapshots go, and then the files that only they had',
    fullDescription:
      'Old snapshots leave the table by the age of their data, and then the files that only they had are removed, never before the commit is known to be in. The current snapshot stays, and all that branches and tags name.',
  },
});

const unload = buildCommand<UnloadFlags, [], CliContext>({
  loader: async () => (await import('./commands/unload.js')).unload,
  parameters: {
    flags: {
      out: {
        kind: 'parsed',
        parse: parseText,
        brief: 'Folder to write: missing or empty',
        placeholder: 'folder',
      },
      asOf: {
        kind: 'parsed',
        parse: parseText,
        optional: true,
        brief: 'The table as it was at a time of its data (UTC), or snapshot:ID',
        placeholder: 'time',
      },
      ...globalFlags,
    },
  },
  docs: {
    brief: 'Give a lake table back as DynamoDB JSON, ready for an import',
    fullDescription: 'Writes only *.json.gz files. Every item comes back exactly as it went in.',
  },
});

const infraTemplate = buildCommand<Record<never, never>, [], CliContext>({
  loader: async () => (await import('./commands/infra.js')).infraTemplate,
  parameters: {},
  docs: {
    brief: 'Print the stack of a lake as plain CloudFormation: buckets, database, workgroup, roles',
  },
});

const infraPolicy = buildCommand<InfraPolicyFlags, [string], CliContext>({
  loader: async () => (await import('./commands/infra.js')).infraPolicy,
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [
        {
          brief: 'A command (e.g. merge, schema-set, query-athena) or exporter, merger, analyst',
          parse: parseText,
          placeholder: 'name',
        },
      ],
    },
    flags: {
      account: {
        kind: 'parsed',
        parse: parseText,
        brief: 'AWS account',
        placeholder: 'digits',
      },
      region: {
        kind: 'parsed',
        parse: parseText,
        brief: 'Region, e.g. eu-west-1',
        placeholder: 'name',
      },
      partition: {
        kind: 'enum',
        values: ['aws', 'aws-cn', 'aws-us-gov'],
        default: 'aws',
        brief: 'AWS, China or GovCloud',
      },
      source: {
        kind: 'parsed',
        parse: parseText,
        optional: true,
        brief: 'DynamoDB tables, separated by commas',
        placeholder: 'a,b',
      },
      roles: {
        kind: 'parsed',
        parse: parseText,
        optional: true,
        brief: 'ARNs of the roles that DynamoDB is called with, separated by commas',
        placeholder: 'arn,arn',
      },
      exports: {
        kind: 'parsed',
        parse: parseText,
        optional: true,
        brief: 'Where exports lie: s3://bucket/prefix',
        placeholder: 'uri',
      },
      lake: {
        kind: 'parsed',
        parse: parseText,
        optional: true,
        brief: 'Where the lake lies: s3://bucket/prefix',
        placeholder: 'uri',
      },
      out: {
        kind: 'parsed',
        parse: parseText,
        optional: true,
        brief: 'Where unload writes: s3://bucket/prefix',
        placeholder: 'uri',
      },
      results: {
        kind: 'parsed',
        parse: parseText,
        optional: true,
        brief: 'Where results of Athena lie: s3://bucket/prefix',
        placeholder: 'uri',
      },
      database: {
        kind: 'parsed',
        parse: parseText,
        optional: true,
        brief: 'Glue database; without it the policy is for a lake without Glue',
        placeholder: 'name',
      },
      table: {
        kind: 'parsed',
        parse: parseText,
        optional: true,
        brief: 'Lake table (else all tables of the database)',
        placeholder: 'name',
      },
      workgroup: {
        kind: 'parsed',
        parse: parseText,
        optional: true,
        brief: 'Athena workgroup',
        placeholder: 'name',
      },
      kmsKey: {
        kind: 'parsed',
        parse: parseText,
        optional: true,
        brief: 'ARN of the KMS key of the buckets',
        placeholder: 'arn',
      },
      tidy: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief: 'Allow to remove the files of lost attempts',
      },
    },
  },
  docs: { brief: 'Print the least IAM policy that a command or a role needs' },
});

const infra = buildRouteMap({
  routes: { template: infraTemplate, policy: infraPolicy },
  docs: { brief: 'What a lake needs in AWS: its stack, and its policies' },
});

/** All commands. */
export const routes: RouteMap<CliContext> = buildRouteMap({
  routes: {
    demo,
    simulate,
    simulator,
    plan,
    run,
    export: exportOne,
    load,
    merge,
    backfill,
    query,
    queries,
    status,
    log,
    schema,
    verify,
    compact,
    expire,
    unload,
    infra,
  },
  docs: {
    brief: 'DynamoDB exports in, an exact Apache Iceberg lake out, SQL on top, and the way back.',
    fullDescription:
      'DynamoDB exports in, an exact Apache Iceberg lake out, SQL on top, and the way back.\n\nResults go to stdout, progress and errors to stderr. Exit codes: 0 done or nothing to do, 1 failed, 2 wrong use, 3 refused, 4 a check failed, 5 a commit lost a race or is unknown.\n\nTo begin: tidelake demo',
  },
});
