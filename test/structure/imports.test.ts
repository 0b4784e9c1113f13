// The shape of the tree as a test: imports go one way, and only the edges touch the world.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const edges = ['pipeline/local', 'pipeline/aws', 'pipeline/cli', 'infra'];

interface SourceFile {
  readonly name: string;
  readonly text: string;
  /** The text without comments. */
  readonly code: string;
  /** What it imports: our own files from the root on, packages by name. */
  readonly imports: readonly string[];
}

function filesBelow(folder: string): string[] {
  return readdirSync(path.join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)));
}

function withoutComments(text: string): string {
  // Strings first, so that a '//' inside one is no comment.
  return text.replace(
    /('(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g,
    (_, string: string | undefined) => string ?? ' ',
  );
}

function importsOf(name: string, code: string): string[] {
  const found: string[] = [];
  const patterns = [
    /\b(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/g,
    /\bimport\s*\(?\s*['"]([^'"]+)['"]/g,
    /\brequire\s*\(\s*['"]([^'"]+)['"]/g,
  ];
  for (const pattern of patterns) {
    for (const match of code.matchAll(pattern)) {
      const specifier = match[1]!;
      found.push(
        specifier.startsWith('.')
          ? path.join(path.dirname(name), specifier).replace(/\.js$/, '.ts')
          : specifier,
      );
    }
  }
  return [...new Set(found)];
}

const sources: readonly SourceFile[] = ['schemas', 'transforms', 'pipeline', 'infra'].flatMap(
  (folder) =>
    filesBelow(folder)
      // The kernel's sources are another language, with imports of its own.
      .filter((name) => name.endsWith('.ts') && !name.includes('/assembly/'))
      .map((name) => {
        const text = readFileSync(path.join(root, name), 'utf8');
        const code = withoutComments(text);
        return { name, text, code, imports: importsOf(name, code) };
      }),
);

const isBelow = (name: string, folders: readonly string[]): boolean =>
  folders.some((folder) => name.startsWith(`${folder}/`));
const isOurs = (specifier: string): boolean =>
  isBelow(specifier, ['schemas', 'transforms', 'pipeline', 'infra', 'test', 'bench', 'examples']);
const isEdge = (name: string): boolean => isBelow(name, edges);

/** Lines `file: what` for everything that breaks a rule. */
function offences(
  which: (file: SourceFile) => boolean,
  isBad: (specifier: string) => boolean,
): string[] {
  return sources
    .filter(which)
    .flatMap(({ name, imports }) => imports.filter(isBad).map((bad) => `${name}: ${bad}`));
}

describe('the reader of imports', () => {
  it('sees every kind of import and no comment', () => {
    const code = withoutComments(
      [
        "import type { A } from '../b.js'; // import x from './no.js'",
        "import {\n  C,\n} from 'zod';",
        "export { D } from './d.js';",
        "const e = await import('./e.js');",
        "import 'node:fs';",
        '/* Math.random() */',
        "const url = 'https://x'; Math.sin(1);",
      ].join('\n'),
    );
    expect(importsOf('pipeline/x/a.ts', code)).toEqual([
      'pipeline/b.ts',
      'zod',
      'pipeline/x/d.ts',
      'pipeline/x/e.ts',
      'node:fs',
    ]);
    expect(code).not.toContain('Math.random');
    expect(code).toContain('Math.sin');
  });

  it('finds the sources', () => {
    expect(sources.map(({ name }) => name)).toContain('pipeline/ports.ts');
  });
});

describe('imports go one way', () => {
  it('schemas import nothing of ours but schemas', () => {
    const bad = offences(
      ({ name }) => isBelow(name, ['schemas']),
      (specifier) => isOurs(specifier) && !isBelow(specifier, ['schemas']),
    );
    expect(bad).toEqual([]);
  });

  it('transforms import only schemas and transforms', () => {
    const bad = offences(
      ({ name }) => isBelow(name, ['transforms']),
      (specifier) => isOurs(specifier) && !isBelow(specifier, ['schemas', 'transforms']),
    );
    expect(bad).toEqual([]);
  });

  it('domain folders of the pipeline import none of its edges', () => {
    const bad = offences(
      ({ name }) => isBelow(name, ['pipeline']) && !isEdge(name) && name !== 'pipeline/index.ts',
      isEdge,
    );
    expect(bad).toEqual([]);
  });

  it('nothing imports the command, tests, benchmarks or examples', () => {
    const bad = [
      ...offences(
        ({ name }) => !isBelow(name, ['pipeline/cli']),
        (specifier) => isBelow(specifier, ['pipeline/cli']),
      ),
      ...offences(
        () => true,
        (specifier) => isBelow(specifier, ['test', 'bench', 'examples']),
      ),
    ];
    expect(bad).toEqual([]);
  });

  it('infra is imported by nothing, and alone imports the CDK, which does not ship', () => {
    const bad = offences(
      ({ name }) => !isBelow(name, ['infra']),
      (specifier) =>
        isBelow(specifier, ['infra']) || /^(aws-cdk-lib|constructs|cdk-nag)(\/|$)/.test(specifier),
    );
    expect(bad).toEqual([]);
  });

  it('only pipeline/aws imports the AWS SDK', () => {
    const bad = offences(
      ({ name }) => !isBelow(name, ['pipeline/aws']),
      (specifier) => /^@(aws-sdk|smithy)\//.test(specifier),
    );
    expect(bad).toEqual([]);
  });

  it('every import of ours names a file that is there', () => {
    const known = new Set(sources.map(({ name }) => name));
    const bad = offences(
      () => true,
      (specifier) => isOurs(specifier) && !known.has(specifier),
    );
    expect(bad).toEqual([]);
  });
});

describe('only the edges touch the world', () => {
  const worldly: readonly (readonly [string, RegExp])[] = [
    ['Date.now', /\bDate\s*\.\s*now\b/],
    ['new Date()', /\bnew\s+Date\s*(\(\s*\)|[^\w\s(])/],
    ['Math.random', /\bMath\s*\.\s*random\b/],
    ['timers', /\b(setTimeout|setInterval)\b/],
    ['performance.now', /\bperformance\s*\.\s*now\b/],
    ['fetch', /(?<![.\w#])fetch\s*\(/],
    ['random bytes', /\b(randomUUID|randomBytes|randomInt|getRandomValues)\b/],
    ['the environment', /\bprocess\s*\.\s*(env|argv|exit|stdout|stderr)\b/],
  ];

  it.each(worldly)('domain code has no %s', (_, pattern) => {
    const bad = sources.filter(({ name, code }) => !isEdge(name) && pattern.test(code));
    expect(bad.map(({ name }) => name)).toEqual([]);
  });

  it('domain code imports no file system, network, process or thread', () => {
    const harmless = [
      'assert',
      'buffer',
      'crypto',
      'stream',
      'stream/promises',
      'util',
      'zlib',
      'path',
      'events',
      'url',
    ];
    const bad = offences(
      ({ name }) => !isEdge(name),
      (specifier) => {
        const name = specifier.replace(/^node:/, '');
        const isBuiltin = specifier.startsWith('node:') || builtinModules.includes(specifier);
        return isBuiltin && !harmless.includes(name);
      },
    );
    expect(bad).toEqual([]);
  });
});

describe('files stand for themselves', () => {
  const folders = [
    'schemas',
    'transforms',
    'pipeline',
    'infra',
    'queries',
    'scripts',
    'bench',
    'docs',
    'examples',
  ];
  const pages = folders
    .filter((folder) => existsSync(path.join(root, folder)))
    .flatMap((folder) => filesBelow(folder))
    .filter((name) => /\.(ts|mjs|json|md|sql|sh|yml|yaml)$/.test(name));

  it('name no absolute path of a machine they were written on', () => {
    const bad = pages.filter((name) =>
      /(?<![\w.:/-])\/(work|home|Users|root)\/[\w.-]/.test(
        readFileSync(path.join(root, name), 'utf8'),
      ),
    );
    expect(bad).toEqual([]);
  });

  it('have kebab-case names', () => {
    const bad = sources.filter(({ name }) => !/^[a-z0-9-]+(\.d)?\.ts$/.test(path.basename(name)));
    expect(bad.map(({ name }) => name)).toEqual([]);
  });

  it('begin with a comment that says what they are', () => {
    const bad = sources.filter(({ text }) => !/^(#!.*\n)?\/[/*]/.test(text));
    expect(bad.map(({ name }) => name)).toEqual([]);
  });
});
