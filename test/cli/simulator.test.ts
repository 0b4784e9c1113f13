// `tidelake simulator serve` as a process: what it prints, and what is left after it was killed.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  StartQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runStubbed } from './stub-context.js';

let dir: string;
let running: ChildProcess | null = null;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'tidelake-serve-'));
});
afterEach(() => {
  running?.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

const main = path.resolve(import.meta.dirname, '../../dist/pipeline/cli/main.js');

/** Starts the command and waits for what it prints first. */
async function serve(
  ...more: string[]
): Promise<{ child: ChildProcess; text: string; url: string }> {
  const args = [main, 'simulator', 'serve', '--dir', dir, '--port', '0', ...more];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  running = child;
  const [printed] = (await once(child.stdout!, 'data')) as [Buffer];
  const text = printed.toString();
  return { child, text, url: /http:\/\/127\.0\.0\.1:\d+/.exec(text)![0] };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  const exit = once(child, 'exit');
  child.kill(signal);
  const [code] = (await exit) as [number | null];
  running = null;
  return code;
}

const put = (url: string, body: string): Promise<Response> => fetch(url, { method: 'PUT', body });

describe('simulator serve', () => {
  it('prints the endpoint and what to set, and ends when it is interrupted', async () => {
    const { child, text, url } = await serve();
    expect(text).toBe(
      `AWS is simulated at ${url}, on ${dir}\n\nexport AWS_ENDPOINT_URL=${url}\nexport AWS_ACCESS_KEY_ID=test\nexport AWS_SECRET_ACCESS_KEY=test\nexport AWS_REGION=eu-west-1\nexport AWS_DEFAULT_REGION=eu-west-1\n`,
    );
    expect((await put(`${url}/bucket`, '')).status).toBe(200);
    expect(await end(child, 'SIGTERM')).toBe(143);
    expect(readdirSync(dir)).not.toContain('simulator.pid');
  });

  it('prints JSON, and takes a plan of faults', async () => {
    const plan = '[{"operation":"CreateBucket","do":{"fault":"error","code":"SlowDown"}}]';
    const { child, text, url } = await serve('--json', '--faults', plan);
    expect(JSON.parse(text)).toMatchObject({ url, dir, environment: { AWS_ENDPOINT_URL: url } });
    expect((await put(`${url}/bucket`, '')).status).toBe(503);
    await end(child, 'SIGKILL');
  });

  it('has Athena answered by the Trino that is named', async () => {
    const sent: string[] = [];
    const trino = createServer((request, response) => {
      request.on('data', (part: Buffer) => sent.push(`${request.url} ${part}`));
      request.on('end', () => {
        const typeSignature = { rawType: 'varchar', arguments: [] };
        const columns = [{ name: 'answer', type: 'varchar', typeSignature }];
        response.end(JSON.stringify({ columns, data: [['from Trino']] }));
      });
    });
    await new Promise<void>((resolve) => trino.listen(0, '127.0.0.1', resolve));
    const { port } = trino.address() as AddressInfo;
    const { child, url } = await serve('--athena-trino', `http://127.0.0.1:${port}/lake`);
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const client = new AthenaClient({ endpoint: url, region: 'eu-west-1', credentials });
    try {
      const WorkGroup = 'primary';
      const ResultConfiguration = { OutputLocation: 's3://results/' };
      const { QueryExecutionId } = await client.send(
        new StartQueryExecutionCommand({ QueryString: 'SELECT 1', WorkGroup, ResultConfiguration }),
      );
      let state: string | undefined;
      while (state !== 'SUCCEEDED') {
        const { QueryExecution } = await client.send(
          new GetQueryExecutionCommand({ QueryExecutionId }),
        );
        state = QueryExecution?.Status?.State;
        expect(state).not.toBe('FAILED');
      }
      const { ResultSet } = await client.send(new GetQueryResultsCommand({ QueryExecutionId }));
      expect(ResultSet!.Rows!.at(-1)!.Data).toEqual([{ VarCharValue: 'from Trino' }]);
      expect(sent).toEqual(['/v1/statement SELECT 1']);
    } finally {
      client.destroy();
      await end(child, 'SIGKILL');
      await new Promise((resolve) => trino.close(resolve));
    }
  });

  it('goes on after kill -9 with all it had answered for, whole', async () => {
    const keys = ['a', 'b', 'c/d', 'e'];
    /** Versions of each key that were sent and that were answered for. */
    const sent = new Map(keys.map((key) => [key, 0]));
    const answered = new Map(keys.map((key) => [key, 0]));
    const content = (key: string, version: number): string => `${key}/${version};`.repeat(20_000);

    // The last start is only looked at.
    for (const answersMax of [1, 7, 25, null]) {
      const { child, url } = await serve();
      await put(`${url}/bucket`, '');
      // What is there was sent whole, and is no older than what was answered for.
      const listed = await (await fetch(`${url}/bucket?list-type=2`)).text();
      for (const key of keys) {
        const answer = await fetch(`${url}/bucket/${key}`);
        const text = await answer.text();
        const version = answer.status === 404 ? 0 : Number(/^[^;]*\/(\d+);/.exec(text)![1]);
        expect(version).toBeGreaterThanOrEqual(answered.get(key)!);
        expect(version).toBeLessThanOrEqual(sent.get(key)!);
        if (version > 0) expect(text === content(key, version)).toBe(true);
        expect(listed.includes(`<Key>${key}</Key>`)).toBe(version > 0);
      }
      // A body for each object, and nothing else: what was under way is gone.
      const folder = path.join(dir, 'bodies');
      const bodies = existsSync(folder)
        ? readdirSync(folder, { recursive: true, withFileTypes: true })
        : [];
      const objects = listed.match(/<Key>/g)?.length ?? 0;
      expect(bodies.filter((entry) => entry.isFile())).toHaveLength(objects);

      if (answersMax === null) break;

      let answers = 0;
      const write = async (key: string): Promise<void> => {
        for (;;) {
          const version = sent.get(key)! + 1;
          sent.set(key, version);
          const { status } = await put(`${url}/bucket/${key}`, content(key, version));
          expect(status).toBe(200);
          answered.set(key, version);
          answers += 1;
          // Others are in the middle of theirs.
          if (answers === answersMax) child.kill('SIGKILL');
        }
      };
      await Promise.all(
        keys.map((key) => expect(write(key)).rejects.toThrow(/fetch failed|terminated/)),
      );
      running = null;
    }
    expect(Math.max(...answered.values())).toBeGreaterThan(1);
  });

  it.each([
    [['--dir', 'x', '--faults', '{"rules":'], '--faults: the plan is not JSON'],
    [['--dir', 'x', '--faults', 'none.json'], '--faults: none.json cannot be read'],
    [['--dir', 'x', '--faults', '[{"do":"explode"}]'], '--faults: rules.0.do'],
    [['--dir', 'x', '--port', '70000'], '--port: a whole number from 0 to 65535'],
    [['--dir', ''], '--dir: a folder was expected'],
  ])('is wrong use with %j', async (flags, what) => {
    const ran = await runStubbed(['simulator', 'serve', ...flags], { folder: dir });
    expect(ran).toMatchObject({ exitCode: 2, out: '' });
    expect(ran.err).toContain(what);
    expect(ran.err).toContain('next: tidelake simulator serve --help');
  });

  it('reads a plan from a file', async () => {
    writeFileSync(path.join(dir, 'plan.json'), '{"seed":7,"rules":[{"do":"hang"}]}');
    const flags = ['--dir', 'state', '--faults', 'plan.json', '--port', '9000'];
    const ran = await runStubbed(['simulator', 'serve', ...flags], { folder: dir });
    expect(ran.calls).toMatchObject([
      {
        name: 'startSimulator',
        options: {
          dir: path.join(dir, 'state'),
          port: 9000,
          host: '127.0.0.1',
          faults: { seed: 7, rules: [{ do: { fault: 'hang' } }] },
        },
      },
    ]);
  });
});
