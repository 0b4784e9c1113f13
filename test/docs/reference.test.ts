// The documents against what they describe: codes, commands, dependencies, properties, links.
// Promises: a code, command, flag, package or property that is new, renamed or gone fails here until the documents say so.
// Source: schemas/errors.ts, pipeline/cli/routes.ts, pipeline/cli/flags.ts, pipeline/lake/lake-state.ts, package.json.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeLakeState } from '../../pipeline/lake/lake-state.js';
import { type ErrorCode, exitCodeOf } from '../../schemas/errors.js';

const root = path.resolve(import.meta.dirname, '../..');
const read = (name: string): string => readFileSync(path.join(root, name), 'utf8');

const pages: readonly string[] = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(path.join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => path.join('docs', name)),
];

/** String literals of the exported type of that name. */
function literalsOf(source: string, type: string): string[] {
  const body = new RegExp(`export type ${type} =([^;]*);`).exec(source)?.[1] ?? '';
  return [...body.matchAll(/'([A-Z_]+)'/g)].map((found) => found[1]!);
}

describe('docs/reference/errors.md', () => {
  const source = read('schemas/errors.ts');
  const codes = [...literalsOf(source, 'RefusalCode'), ...literalsOf(source, 'ErrorCode')];
  const rows = [
    ...read('docs/reference/errors.md').matchAll(/^\| `([A-Z_]+)` \| (\d) \| .+ \|$/gm),
  ];

  it('lists every code once, and no other', () => {
    expect(codes.length).toBeGreaterThan(30);
    expect(rows.map((row) => row[1]!).sort()).toEqual(codes.sort());
  });

  it('gives each code its exit code', () => {
    for (const [, code, exit] of rows) {
      expect(`${code} ${exit}`).toBe(`${code} ${exitCodeOf(code as ErrorCode)}`);
    }
  });
});

describe('docs/reference/failures.md', () => {
  const sections = read('docs/reference/failures.md').split(/^## /m).slice(1);

  it.each(sections.filter((one) => one.includes('\n| ')))(
    'names tests that there are, and codes that there are: %.30s',
    (section) => {
      const files = [...section.matchAll(/`(test\/[\w/.-]+\.ts)`/g)].map((found) => found[1]!);
      const texts = files.map(read).join('\n');
      const rows = section.split('\n').filter((line) => /^\| .*`.*\|$/.test(line));
      expect(rows.length).toBeGreaterThan(1);
      const errors = read('docs/reference/errors.md');
      for (const row of rows) {
        const cells = row.split('|').map((cell) => cell.trim());
        expect(texts).toContain(/^`(.+)`$/.exec(cells.at(-2)!)![1]!);
        for (const [, code] of cells[3]!.matchAll(/`(\w+)`/g)) {
          expect(errors).toContain(`| \`${code}\` |`);
        }
      }
    },
  );
});

describe('docs/reference/table-properties.md', () => {
  it('lists every property a table is given', () => {
    const names = Object.keys(
      writeLakeState({
        epoch: 1,
        tableId: '',
        tableArn: '',
        watermarkMs: 0,
        watermarkSnapshot: 1n,
        key: [],
        columns: '',
        gaps: [],
        facts: { sequenceNumber: 1, schemaId: 0, rows: 0, misfitRows: 0 },
        adopted: [],
        baseline: { exportArn: '', exportTimeMs: 0 },
      }),
    );
    const rows = [
      ...read('docs/reference/table-properties.md').matchAll(/^\| `(tidelake\.[a-z-]+)`/gm),
    ];
    expect(rows.map((row) => row[1]!)).toEqual(expect.arrayContaining(names));
  });
});

describe('names that begin with tidelake.', () => {
  it('are all in docs/reference/table-properties.md', () => {
    const page = read('docs/reference/table-properties.md');
    const used = readdirSync(path.join(root, 'pipeline'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => [...read(path.join('pipeline', name)).matchAll(/'(tidelake\.[a-z-]+)'/g)])
      .map((found) => found[1]!);
    expect(used.length).toBeGreaterThan(10);
    expect([...new Set(used)].filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });
});

describe('ARCHITECTURE.md', () => {
  it('has a line for every dependency, and for no other package', () => {
    const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<
      'dependencies' | 'devDependencies',
      Record<string, string>
    >;
    const section = /\n## Dependencies\n([\s\S]*?)\n### Why/.exec(read('ARCHITECTURE.md'))![1]!;
    const rows = [...section.matchAll(/^\| `([^`]+)` \| \S.*\|$/gm)].map((row) => row[1]!);
    expect(rows.sort()).toEqual(Object.keys({ ...dependencies, ...devDependencies }).sort());
  });

  it('names no folder or file of the tree that is not there', () => {
    const named = [
      ...read('ARCHITECTURE.md').matchAll(/`((?:schemas|transforms|test)\/[\w./-]*)`/g),
    ];
    expect(
      named.map((found) => found[1]!).filter((name) => !existsSync(path.join(root, name))),
    ).toEqual([]);
  });
});

describe('commands in the documents', () => {
  const routes = read('pipeline/cli/routes.ts');
  const known = new Set(
    [...routes.matchAll(/commands\/([a-z]+)\.js'\)/g)].map((found) => found[1]!),
  );
  const flags = new Set(
    [
      ...`${routes}\n${read('pipeline/cli/flags.ts')}`.matchAll(
        /^\s+([a-z][A-Za-z]+): (?:\{|\w+Flag,)$/gm,
      ),
    ].map((found) => `--${found[1]!.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`),
  );

  it.each(pages)('%s names commands and flags that are there', (page) => {
    // Code only: what stands between backticks or in a fenced block.
    const code = read(page).match(/```[\s\S]*?```|`[^`\n]+`/g) ?? [];
    const bad = code
      .flatMap((text) => [...text.matchAll(/(?<![\w./-])tidelake ([a-z]+)([^\n|`]*)/g)])
      .flatMap(([, command, rest]) => [
        ...(known.has(command!) ? [] : [command!]),
        ...(rest!.match(/(?<=\s)--[a-z-]+/g) ?? []).filter(
          (flag) => !flags.has(flag) && flag !== '--help' && flag !== '--version',
        ),
      ]);
    expect(bad).toEqual([]);
  });

  it('are all in the README', () => {
    const readme = read('README.md');
    expect([...known].filter((command) => !readme.includes(`\`tidelake ${command}`))).toEqual([]);
  });

  it('of npm are scripts of the package', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = pages.flatMap((page) =>
      [...read(page).matchAll(/\bnpm run ([a-z]+)/g)].map((found) => found[1]!),
    );
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });
});

describe('links', () => {
  it.each(pages)('of %s lead somewhere', (page) => {
    const bad = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)]
      .map((found) => found[1]!)
      .filter((link) => !/^https?:/.test(link))
      .filter((link) => {
        const [file, anchor] = link.split('#') as [string, string | undefined];
        const target = file === '' ? page : path.join(path.dirname(page), file);
        if (!existsSync(path.join(root, target))) return true;
        if (anchor === undefined) return false;
        const titles = [...read(target).matchAll(/^#+ (.+)$/gm)].map((found) =>
          found[1]!
            .toLowerCase()
            .replace(/[^\w\s-]/g, '')
            .replace(/\s/g, '-'),
        );
        return !titles.includes(anchor);
      });
    expect(bad).toEqual([]);
  });
});
