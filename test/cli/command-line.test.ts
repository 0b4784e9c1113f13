// The command line as a whole: help, version, configuration, errors and exit codes.
// Promises that no message carries content, and that help is what it was when it was last looked at.
// Spec: DESIGN "The command".

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { errorFacts, errorText } from '../../pipeline/cli/error-text.js';
import { ObjectNotFoundError } from '../../pipeline/ports.js';
import type { ErrorCode } from '../../schemas/errors.js';
import { TidelakeError } from '../../schemas/errors.js';
import { runStubbed } from './stub-context.js';

describe('help', () => {
  it.each([
    [],
    ['demo'],
    ['simulate'],
    ['simulator'],
    ['simulator', 'serve'],
    ['plan'],
    ['run'],
    ['export'],
    ['load'],
    ['merge'],
    ['backfill'],
    ['query'],
    ['queries'],
    ['queries', 'push'],
    ['status'],
    ['log'],
    ['schema'],
    ['schema', 'set'],
    ['verify'],
    ['compact'],
    ['expire'],
    ['unload'],
    ['infra', 'template'],
    ['infra', 'policy'],
  ])('of %s is as it was', async (...words: string[]) => {
    const ran = await runStubbed([...words, '--help']);
    expect(ran).toMatchObject({ exitCode: 0, err: '' });
    expect(ran.out).toMatchSnapshot();
  });

  it('--version prints the version of the package', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect((await runStubbed(['--version'])).out).toBe(`${version}\n`);
  });
});

describe('errors', () => {
  it.each([
    ['REFUSED_GAP', 3],
    ['REFUSED_NOT_EMPTY', 3],
    ['USAGE', 2],
    ['CHECK_FAILED', 4],
    ['COMMIT_CONFLICT', 5],
    ['COMMIT_UNKNOWN', 5],
    ['NO_SPACE', 1],
    ['QUERY_FAILED', 1],
    ['INTERNAL', 1],
  ] as [ErrorCode, number][])('%s ends with exit %i', async (code, exitCode) => {
    const error = new TidelakeError({ code, what: 'w', meaning: 'm', next: 'n' });
    const ran = await runStubbed(['status'], { api: { status: () => Promise.reject(error) } });
    expect(ran).toMatchObject({
      exitCode,
      out: '',
      err: `error ${code}  w\n  m\n  next: n\n`,
      openWorlds: 0,
    });
  });

  it('prints class and place of an unknown exception, never its message', async () => {
    const status = async (): Promise<never> => {
      throw new RangeError('client-0815 lives in Berlin\n    at secret (/pipeline/x.ts:1:1)');
    };
    const ran = await runStubbed(['status'], { api: { status } });
    expect(ran.exitCode).toBe(1);
    expect(ran.err).toMatch(/^error INTERNAL {2}RangeError at /);
    expect(ran.err).not.toMatch(/Berlin|secret|client-/);
    const debug = await runStubbed(['status'], { api: { status }, env: { TIDELAKE_DEBUG: '1' } });
    expect(debug.err).toContain('command-line.test.ts');
  });

  it('names a system error by its code', () => {
    const error = Object.assign(new Error('EACCES: /srv/x'), { code: 'EACCES' });
    expect(errorFacts(error).what).toMatch(/^Error EACCES at /);
    expect(errorFacts('text').what).toBe('a thrown string at an unknown place');
  });

  it('takes a missing object for input that is gone', () => {
    expect(errorFacts(new ObjectNotFoundError('file:///x')).code).toBe('REFUSED_INPUT_GONE');
  });

  it('leaves out empty lines, and keeps control characters off the terminal', () => {
    expect(errorText({ code: 'USAGE', what: 'a\u001b[2Jb\nc', meaning: '', next: '' })).toBe(
      'error USAGE  ab c\n',
    );
  });

  it('suggests the command that was meant', async () => {
    const ran = await runStubbed(['stauts']);
    expect(ran).toMatchObject({ exitCode: 2, out: '' });
    expect(ran.err).toBe(
      'error USAGE  there is no command stauts; did you mean `status`?\n  next: tidelake --help\n',
    );
  });

  it('refuses unknown flags and numbers that are none', async () => {
    expect(await runStubbed(['status', '--frobnicate'])).toMatchObject({ exitCode: 2, out: '' });
    expect(await runStubbed(['status', '--threads', '1e2'])).toMatchObject({
      exitCode: 2,
      out: '',
    });
    expect(await runStubbed(['load'])).toMatchObject({ exitCode: 2, out: '' });
  });
});

describe('configuration', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tidelake-cli-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const api = { status: async () => [] };
  const target = async (args: readonly string[]): Promise<unknown> => {
    const ran = await runStubbed(['status', ...args], { folder, api });
    return ran.calls.find((call) => call.name === 'status')?.options ?? ran.err;
  };

  it('gives the lake and the database, which flags override', async () => {
    const config = { lake: './there', database: 'shop', tables: [{ name: 'orders' }] };
    writeFileSync(join(folder, 'tidelake.config.json'), JSON.stringify(config));
    expect(await target([])).toEqual({ lake: `file://${folder}/there`, database: 'shop' });
    expect(await target(['--lake', 'file:///srv/x/', '--database', 'd'])).toEqual({
      lake: 'file:///srv/x',
      database: 'd',
    });
  });

  it('is ./lake and lake without a file', async () => {
    expect(await target([])).toEqual({ lake: `file://${folder}/lake`, database: 'lake' });
  });

  it.each(['{', '[]', '{"lake":7}', '{"database":"../up"}'])(
    '%s is refused with exit 2',
    async (text) => {
      writeFileSync(join(folder, 'tidelake.config.json'), text);
      const ran = await runStubbed(['status'], { folder, api });
      expect(ran.exitCode).toBe(2);
      expect(ran.err).toContain('error USAGE  tidelake.config.json');
    },
  );
});

describe('a fast start', () => {
  it('loads neither zod nor anything heavy before a command runs', () => {
    const seen = loadedBy('routes.ts');
    expect(seen.filter((name) => !name.startsWith('.') && !name.startsWith('node:'))).toEqual([
      '@stricli/core',
    ]);
  });
});

/** Modules that a file of the command loads at once, without those that are loaded when needed. */
function loadedBy(file: string, seen: Set<string> = new Set()): string[] {
  const source = readFileSync(join('pipeline/cli', file), 'utf8');
  for (const match of source.matchAll(/^(?:import|export) (?!type )[^;]*?from '([^']+)';/gms)) {
    const name = match[1]!;
    if (seen.has(name)) continue;
    seen.add(name);
    if (name.startsWith('./')) loadedBy(name.replace(/\.js$/, '.ts'), seen);
  }
  return [...seen];
}

// Kept at the end: the built command, when there is a build.
describe('the built command', () => {
  const main = 'dist/pipeline/cli/main.js';
  const isBuilt = (): boolean => spawnSync(process.execPath, [main, '--version']).status === 0;

  it.runIf(isBuilt())('ends quietly when nobody reads its output', () => {
    const ran = spawnSync('bash', ['-c', `${process.execPath} ${main} --help | head -c 1`]);
    expect(ran.stderr.toString()).toBe('');
  });
});
