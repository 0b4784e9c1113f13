// A reader of our Dockerfile, and a builder that runs its steps in folders instead of an engine.
// Promises: knows the few instructions that the file uses, in the forms in which it uses them; any other is an error. A stage is a
// folder; absolute paths of the image are paths below it. What base images bring is not there: steps run with this machine's
// node and npm.
// Source: Dockerfile reference (docs.docker.com/reference/dockerfile), .dockerignore files.

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
} from 'node:fs';
import path from 'node:path';

export interface Instruction {
  readonly name: string;
  readonly args: string;
}

export interface Stage {
  readonly name: string;
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

/** The stages of a Dockerfile, with the variables of `ARG` filled in. Throws for what it does not know. */
export function readDockerfile(text: string): readonly Stage[] {
  const variables = new Map<string, string>();
  const stages: { name: string; base: string; instructions: Instruction[] }[] = [];
  for (const line of text.split('\n')) {
    if (/^\s*(#|$)/.test(line)) continue;
    const [, name, args] = /^([A-Z]+) (.+)$/.exec(line) ?? [];
    if (name === undefined || args === undefined || /\\$/.test(args)) {
      throw new Error(`no such instruction here: ${line}`);
    }
    const filled = args.replace(/\$\{(\w+)\}/g, (_, key: string) => {
      const value = variables.get(key);
      if (value === undefined) throw new Error(`no such variable: ${key}`);
      return value;
    });
    if (name === 'ARG' && stages.length === 0) {
      const [key, value] = filled.split('=');
      variables.set(key!, value!);
    } else if (name === 'FROM') {
      const [base, as, stage] = filled.split(' ');
      if (as !== undefined && as !== 'AS') throw new Error(`no such form: ${line}`);
      stages.push({ base: base!, name: stage ?? '', instructions: [] });
    } else if (['WORKDIR', 'COPY', 'RUN', 'VOLUME', 'USER', 'CMD'].includes(name)) {
      stages.at(-1)!.instructions.push({ name, args: filled });
    } else throw new Error(`no such instruction here: ${line}`);
  }
  return stages;
}

/** Paths of the context, below the checkout, that .dockerignore lets through: `*` and then exceptions. */
export function contextRoots(ignoreFile: string): readonly string[] {
  const lines = ignoreFile.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  if (lines[0] !== '*') throw new Error('a .dockerignore that begins with * is expected');
  return lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
}

export interface BuildOptions {
  /** The checkout. */
  readonly context: string;
  /** Empty folder for the stages. */
  readonly into: string;
}

export interface Built {
  /** Folder that stands for `/` of the last stage. */
  readonly root: string;
  readonly workdir: string;
  readonly user: string;
  readonly cmd: readonly string[];
}

/** Runs all steps. Throws with the output of a step that fails. */
export function build(stages: readonly Stage[], { context, into }: BuildOptions): Built {
  const shown = path.join(into, 'context');
  for (const root of contextRoots(readFileSync(path.join(context, '.dockerignore'), 'utf8'))) {
    const from = path.join(context, root);
    if (!existsSync(from)) continue;
    mkdirSync(path.dirname(path.join(shown, root)), { recursive: true });
    cpSync(from, path.join(shown, root), { recursive: true });
  }
  let last: Built | null = null;
  for (const [n, stage] of stages.entries()) {
    const root = path.join(into, stage.name === '' ? `stage-${n}` : stage.name);
    last = buildStage(stage, { root, context: shown, into });
  }
  return last!;
}

function buildStage(
  stage: Stage,
  { root, context, into }: { root: string; context: string; into: string },
): Built {
  let workdir = '/';
  let user = 'root';
  let cmd: readonly string[] = [];
  mkdirSync(root, { recursive: true });
  const inside = (place: string): string => path.join(root, path.posix.resolve(workdir, place));
  for (const { name, args } of stage.instructions) {
    if (name === 'WORKDIR') {
      workdir = path.posix.resolve(workdir, args);
      mkdirSync(path.join(root, workdir), { recursive: true });
    } else if (name === 'COPY') {
      const words = args.split(' ');
      const from = /^--from=(.+)$/.exec(words[0]!)?.[1];
      const places = from === undefined ? words : words.slice(1);
      const target = places.pop()!;
      for (const place of places) {
        const source = path.join(from === undefined ? context : path.join(into, from), place);
        copy(source, inside(target), target.endsWith('/'));
      }
    } else if (name === 'RUN') {
      const ran = spawnSync('sh', ['-c', args], {
        cwd: path.join(root, workdir),
        encoding: 'utf8',
        timeout: 300_000,
        maxBuffer: 64 * 1024 * 1024,
      });
      if (ran.status !== 0) throw new Error(`RUN ${args}\n${ran.stdout}${ran.stderr}`);
    } else if (name === 'USER') user = args;
    else if (name === 'CMD') cmd = JSON.parse(args) as string[];
  }
  return { root, workdir, user, cmd };
}

/** As COPY does it: of a folder its content, of a file the file, below the target where that ends with a slash. */
function copy(source: string, target: string, isFolder: boolean): void {
  if (!existsSync(source)) throw new Error(`COPY: there is no ${source}`);
  if (statSync(source).isDirectory()) {
    cpSync(source, target, { recursive: true });
    return;
  }
  mkdirSync(isFolder ? target : path.dirname(target), { recursive: true });
  cpSync(source, isFolder ? path.join(target, path.basename(source)) : target);
}

/** Takes the right to write from everything below a folder: Lambda's file system is read-only. */
export function makeReadOnly(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) chmodSync(path.join(entry.parentPath, entry.name), 0o444);
  }
}
