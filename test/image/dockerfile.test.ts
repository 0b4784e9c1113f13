// The Dockerfile as it stands: what can be known of it without building it.
// Promises: its steps are run by test/faults/image.test.ts.
// Source: Dockerfile; AWS Lambda Developer Guide, "Requirements for container images".

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { contextRoots, readDockerfile } from './dockerfile.js';

const root = path.resolve(import.meta.dirname, '../..');
const stages = readDockerfile(readFileSync(path.join(root, 'Dockerfile'), 'utf8'));
const last = stages.at(-1)!;

describe('the Dockerfile', () => {
  it('names a version of one base for all stages, and no other', () => {
    const bases = new Set(stages.map(({ base }) => base));
    expect([...bases]).toEqual(['public.ecr.aws/lambda/nodejs:24']);
  });

  it('runs no install script, and leaves out what is for development', () => {
    const installs = stages.flatMap(({ instructions }) =>
      instructions.filter(({ name, args }) => name === 'RUN' && args.startsWith('npm')),
    );
    expect(installs).toHaveLength(2);
    for (const { args } of installs) expect(args).toMatch(/^npm ci .*--ignore-scripts/);
    const copied = last.instructions.filter(({ args }) => args.includes('node_modules'));
    expect(copied.map(({ args }) => args)).toEqual([
      '--from=dependencies /build/node_modules ./node_modules',
    ]);
    const dependencies = stages.find(({ name }) => name === 'dependencies')!;
    expect(dependencies.instructions.map(({ args }) => args).join()).toContain('--omit=dev');
  });

  it('ends as a user without rights', () => {
    const users = last.instructions.filter(({ name }) => name === 'USER');
    expect(users.map(({ args }) => args)).toEqual(['1000:1000']);
  });

  it('begins with a handler that is there', async () => {
    const [command] = last.instructions.filter(({ name }) => name === 'CMD');
    const [place] = JSON.parse(command!.args) as [string];
    const [, module, name] = /^dist\/(.+)\.(\w+)$/.exec(place)!;
    const exported = (await import(path.join(root, `${module}.ts`))) as Record<string, unknown>;
    expect(exported[name!]).toBeTypeOf('function');
  });

  it('copies what is in the context, which is what it is made of', () => {
    const roots = contextRoots(readFileSync(path.join(root, '.dockerignore'), 'utf8'));
    const copied = stages
      .flatMap(({ instructions }) => instructions)
      .filter(({ name, args }) => name === 'COPY' && !args.startsWith('--from='))
      .flatMap(({ args }) => args.split(' ').slice(0, -1));
    expect(copied.filter((place) => !roots.includes(place))).toEqual([]);
    expect(roots.filter((place) => !existsSync(path.join(root, place)))).toEqual([]);
  });
});
