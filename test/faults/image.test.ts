// The image without an engine: the Dockerfile's steps run in folders, and what comes out is started as Lambda and Fargate do.
// Promises: needs the package registry, as a build does; the files are read-only then, and the handler is found by the name that
// the image gives. What base images bring (Node's version, Lambda's runtime client) is not tested here.
// Source: Dockerfile; AWS Lambda Developer Guide, "Requirements for container images".

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CreateDatabaseCommand } from '@aws-sdk/client-glue';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { awsEnvironment } from '../aws/simulated-s3.js';
import { type Built, build, makeReadOnly, readDockerfile } from '../image/dockerfile.js';
import { ScheduledWorld } from '../schedule/scheduled-table.js';
import { minuteMs } from '../simulator/aws/running-dynamodb.js';

const checkout = path.resolve(import.meta.dirname, '../..');

let into: string;
let image: Built;
let task: string;
let world: ScheduledWorld;

beforeAll(async () => {
  into = mkdtempSync(path.join(tmpdir(), 'tidelake-image-'));
  const stages = readDockerfile(readFileSync(path.join(checkout, 'Dockerfile'), 'utf8'));
  image = build(stages, { context: checkout, into });
  task = path.join(image.root, image.workdir);
  makeReadOnly(task);
  world = await ScheduledWorld.start();
  // The processes below go by the clock of this machine, so the simulator is not to be days behind it.
  world.aws.clock.advanceMs(Math.max(0, Date.now() - world.aws.clock.nowMs()));
  const database = new CreateDatabaseCommand({ DatabaseInput: { Name: 'lake' } });
  await (await world.clients.glue()).send(database);
}, 600_000);
afterAll(async () => {
  await world?.close();
  rmSync(into, { recursive: true, force: true });
}, 300_000);

interface Ended {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs node in the image's folder with the environment of a task: no home, no PATH. */
async function node(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const child = spawn(process.execPath, args, {
    cwd: task,
    env: {
      ...awsEnvironment,
      AWS_ENDPOINT_URL: world.aws.simulator.url,
      TMPDIR: tmpdir(),
      ...env,
    },
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (piece: Buffer) => (out += piece.toString('utf8')));
  child.stderr.on('data', (piece: Buffer) => (err += piece.toString('utf8')));
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { status, out, err };
}

/** One invocation: the handler by its name, `path/file.export`, from the task's root. */
function invoke(config: string): Promise<Ended> {
  const [, file, name] = /^(.+)\.(\w+)$/.exec(image.cmd[0]!)!;
  const script = `
    const { ${name}: handler } = await import(${JSON.stringify(path.join(task, `${file}.js`))});
    const endMs = Date.now() + 900_000;
    const result = await handler({}, {
      awsRequestId: 'one', functionName: 'job', functionVersion: '1', invokedFunctionArn: 'arn',
      memoryLimitInMB: '3008', getRemainingTimeInMillis: () => endMs - Date.now(),
    });
    // Lambda freezes the process then, whatever still waits in it.
    process.stdout.write(JSON.stringify({ result }) + '\\n', () => process.exit());`;
  // A file: worker threads inherit node's flags, and refuse those of --eval.
  const entry = path.join(into, 'invoke.mjs');
  writeFileSync(entry, script);
  return node([entry], { TIDELAKE_CONFIG: config });
}

const lastLine = (text: string): unknown => JSON.parse(text.trimEnd().split('\n').at(-1)!);

describe('the image', () => {
  it('has what runs and nothing for development', () => {
    const modules = path.join(task, 'node_modules');
    for (const name of ['typescript', 'vitest', 'aws-cdk-lib', '@biomejs']) {
      expect(existsSync(path.join(modules, name))).toBe(false);
    }
    for (const name of ['@duckdb/node-api', 'parquet-wasm', '@aws-lambda-powertools/logger']) {
      expect(existsSync(path.join(modules, name))).toBe(true);
    }
    expect(readdirSync(task).sort()).toEqual([
      'LICENSE',
      'dist',
      'infra',
      'node_modules',
      'package.json',
      'queries',
    ]);
  });

  it('is the command for whoever names it', async () => {
    const main = 'dist/pipeline/cli/main.js';
    expect(await node([main, '--version'])).toMatchObject({ status: 0, out: '0.1.0\n' });
    const template = await node([main, 'infra', 'template']);
    expect(JSON.parse(template.out)).toHaveProperty('Resources');
  });

  it('is the handler that brings a table into a lake in Glue, tick by tick, on two threads', async () => {
    const table = await world.table();
    const config = JSON.stringify({
      lake: 's3://lake/lake',
      database: 'lake',
      catalog: 'glue',
      exports: { bucket: 'exports', prefix: 'raw' },
      tables: [{ name: table.name }],
    });
    const first = await invoke(config);
    expect(first).toMatchObject({ status: 0, err: '' });
    expect(lastLine(first.out)).toMatchObject({ result: { tables: 1, refused: 0, failed: 0 } });
    world.aws.clock.advanceMs(30 * minuteMs);
    const second = await invoke(config);
    expect(second.status).toBe(0);
    expect(second.out).toContain('"ExportsLoaded":1');
    const status = await node([
      'dist/pipeline/cli/main.js',
      ...['status', '--json', '--lake', 's3://lake/lake', '--database', 'lake'],
    ]);
    expect(JSON.parse(status.out)).toMatchObject({ rows: 12, health: 'ok' });
  });
});
