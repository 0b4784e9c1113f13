// docs/how-to/athena.md, followed: every command of the page is run as it stands there, by the command itself and the real
// SDKs, against simulated AWS. Promises: a command that is added to the page is run too, or fails here; the last answers are
// those of the simulated table. Of AWS's own command line the arguments are taken, since it is not at hand in a test.

import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CreateWorkGroupCommand } from '@aws-sdk/client-athena';
import { CreateDatabaseCommand } from '@aws-sdk/client-glue';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type AwsClients, createAwsClients } from '../../pipeline/aws/clients.js';
import { openAthenaWorkgroup } from '../../pipeline/cli/athena-workgroup.js';
import type { CliContext } from '../../pipeline/cli/context.js';
import { createWorld } from '../../pipeline/cli/create-world.js';
import { openStore } from '../../pipeline/cli/open-store.js';
import { runTidelake } from '../../pipeline/cli/run.js';
import { startSimulatorWithSql } from '../../pipeline/cli/simulator-sql.js';
import type { Simulator } from '../../pipeline/local/simulator-server.js';
import { type Story, simulate } from '../../pipeline/simulator/index.js';
import { awsEnvironment } from '../aws/simulated-s3.js';
import { RememberingOutput } from '../cli/stub-context.js';
import { commandsOf, fences } from './page-commands.js';

const page = readFileSync(path.resolve(import.meta.dirname, '../../docs/how-to/athena.md'), 'utf8');
const [withAccount, withoutAccount] = page.split('\n## Without an account\n') as [string, string];

let folder: string;
let simulator: Simulator;
let clients: AwsClients;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'tidelake-page-'));
  simulator = await startSimulatorWithSql({ dir: path.join(folder, 'aws'), port: 0 });
  Object.assign(process.env, awsEnvironment, { AWS_ENDPOINT_URL: simulator.url });
  clients = createAwsClients({});
});
afterEach(async () => {
  delete process.env.AWS_ENDPOINT_URL;
  clients.close();
  await simulator.close();
  await rm(folder, { recursive: true, force: true });
});

async function tidelake(args: readonly string[]): Promise<string> {
  const out = new RememberingOutput();
  const err = new RememberingOutput();
  const context: CliContext = {
    process: { stdout: out, stderr: err, env: { AWS_ENDPOINT_URL: simulator.url } },
    out,
    err,
    folder,
    clock: { nowMs: () => Date.UTC(2026, 10, 20, 12), sleep: async () => {} },
    processors: 1,
    loadApi: () => import('../../pipeline/index.js'),
    loadSimulator: () => import('../../pipeline/simulator/index.js'),
    startSimulator: () => Promise.reject(new Error('one is running')),
    openAthena: openAthenaWorkgroup,
    createWorld,
    openTableExports: () => Promise.reject(new Error('no DynamoDB is asked for')),
    onStop: () => () => {},
    onInterrupt: () => () => {},
  };
  const exitCode = await runTidelake(args, context);
  expect(`${args.join(' ')}: ${exitCode} ${/^error.*/m.exec(err.text)?.[0] ?? ''}`).toBe(
    `${args.join(' ')}: 0 `,
  );
  return out.text;
}

/** `K=V,L={M=N}` as AWS's command line reads it. */
function shorthand(text: string): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const [, name, nested, plain] of text.matchAll(/(\w+)=(?:\{([^}]*)\}|([^,{}]*))(?:,|$)/g)) {
    found[name!] =
      nested !== undefined
        ? shorthand(nested)
        : /^\d+$/.test(plain!)
          ? Number(plain)
          : plain === 'true'
            ? true
            : plain;
  }
  return found;
}

/** One call of AWS's command line. */
async function aws(words: readonly string[]): Promise<void> {
  const [service, operation] = words as [string, string];
  const option = (name: string): string => words[words.indexOf(name) + 1]!;
  const [s3, glue, athena] = [await clients.s3(), await clients.glue(), await clients.athena()];
  switch (`${service} ${operation}`) {
    case 's3 mb':
      await s3.send(new CreateBucketCommand({ Bucket: words[2]!.replace('s3://', '') }));
      return;
    case 's3api create-bucket': {
      const CreateBucketConfiguration = shorthand(option('--create-bucket-configuration'));
      await s3.send(
        new CreateBucketCommand({ Bucket: option('--bucket'), CreateBucketConfiguration }),
      );
      return;
    }
    case 'glue create-database': {
      const { Name, ...more } = shorthand(option('--database-input'));
      const DatabaseInput = { Name: String(Name), ...more };
      await glue.send(new CreateDatabaseCommand({ DatabaseInput }));
      return;
    }
    case 'athena create-work-group':
      await athena.send(
        new CreateWorkGroupCommand({
          Name: option('--name'),
          Configuration: shorthand(option('--configuration')),
        }),
      );
      return;
    default:
      throw new Error(`no test knows aws ${service} ${operation}`);
  }
}

/** Runs commands of the page; gives what each printed, under its words. */
async function follow(
  commands: readonly (readonly string[])[],
): Promise<ReadonlyMap<string, string>> {
  const printed = new Map<string, string>();
  for (const [program, ...words] of commands) {
    if (program === 'aws') await aws(words);
    else if (program === 'tidelake') printed.set(words.join(' '), await tidelake(words));
    else throw new Error(`${program} is not known here`);
  }
  return printed;
}

async function exportsOf(tableName: string): Promise<Story> {
  const store = openStore({ aws: {} });
  const s3 = await clients.s3();
  await s3.send(new CreateBucketCommand({ Bucket: 'shop-exports' }));
  return simulate({
    ...{ store, outUri: 's3://shop-exports/exports', dataset: 'mystore', tableName },
    ...{ items: 60, windows: 1, seed: 3, view: 'NEW_AND_OLD_IMAGES', files: 1 },
  });
}

it('leads from a bucket to an Athena query', async () => {
  const story = await exportsOf('orders');
  await writeFile(path.join(folder, 'tidelake.config.json'), fences(withAccount, 'json')[0]!);
  const printed = await follow(commandsOf(withAccount));
  const counts = new Map<string, number>();
  for (const item of story.table.itemsAt(story.windows[0]!.toMs * 1000)) {
    const status = (item.get('status') as { readonly S: string }).S;
    counts.set(status, (counts.get(status) ?? 0) + 1);
  }
  const [, answer] = [...printed].find(([words]) => words.includes('group by 1'))!;
  const rows = answer.split('\n').flatMap((line) => {
    const found = /^([A-Z]+) +(\d+)$/.exec(line);
    return found === null ? [] : [[found[1]!, Number(found[2])] as const];
  });
  expect(new Map(rows)).toEqual(counts);
  expect(JSON.parse([...printed].find(([words]) => words.startsWith('infra'))![1])).toMatchObject({
    Statement: expect.any(Array),
  });

  const inAthena = ['--engine', 'athena', '--workgroup', 'analysts'];
  for (const sql of fences(withAccount, 'sql')) await tidelake(['query', sql.trim(), ...inAthena]);
  // What stands in the text.
  await tidelake(['query', 'keys-unique', '--table', 'orders', ...inAthena, '--json']);
  const asJson = await tidelake([
    ...['query', 'select cast(lines as json) as lines from orders where lines is not null limit 1'],
    ...[...inAthena, '--json'],
  ]);
  expect(JSON.parse(JSON.parse(asJson).lines)).toEqual(expect.any(Array));
});

it('leads there without an account', async () => {
  const [serve, ...commands] = commandsOf(withoutAccount);
  expect(serve!.slice(0, 3)).toEqual(['tidelake', 'simulator', 'serve']);
  // Fewer items than the default, which takes longer and shows nothing more.
  const printed = await follow(
    commands.map((words) => (words[1] === 'simulate' ? [...words, '--items', '60'] : words)),
  );
  const [, answer] = [...printed].find(([words]) => words.startsWith('query'))!;
  expect(answer).toMatch(/revenue/);
});
