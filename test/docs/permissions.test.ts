// docs/reference/permissions.md against the table of calls.
// Promises: a call that is new or gone fails here until the page says so.
// Source: pipeline/aws/permissions.ts.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type CallPlace,
  type Calls,
  callPlaces,
  callsOf,
  commandCalls,
  commandNames,
  roleCommands,
  roleNames,
} from '../../pipeline/aws/permissions.js';

const page = readFileSync(
  path.resolve(import.meta.dirname, '../../docs/reference/permissions.md'),
  'utf8',
);

const labels: Readonly<Record<string, CallPlace>> = {
  tables: 'tables',
  'exports of the tables': 'tableExports',
  'any export': 'anyExport',
  'any table': 'anyTable',
  'list of tables': 'tableList',
  'other roles': 'otherRoles',
  'export files': 'exportFiles',
  'export bucket': 'exportBucket',
  'lake files': 'lakeFiles',
  'lake removals': 'lakeRemovals',
  'lake bucket': 'lakeBucket',
  'lake location': 'lakeLocation',
  'out files': 'outFiles',
  'out bucket': 'outBucket',
  'result files': 'resultFiles',
  'result bucket': 'resultBucket',
  catalog: 'catalog',
  'default catalog': 'defaultCatalog',
  workgroup: 'workgroup',
  'data catalog': 'dataCatalog',
  Athena: 'athena',
};

/** The tables below each title `### …`, by the names in the title. */
const written = new Map<string, Calls>(
  [...page.matchAll(/^### (.+)\n([\s\S]*?)(?=^##|(?![\s\S]))/gm)].flatMap(([, title, body]) => {
    const calls: Partial<Record<CallPlace, readonly string[]>> = {};
    for (const [, label, actions] of body!.matchAll(/^\| ([A-Za-z ]+) \| (`.+) \|$/gm)) {
      calls[labels[label!]!] = [...actions!.matchAll(/`([^`]+)`/g)].map((found) => found[1]!);
    }
    return [...title!.matchAll(/`([^`]+)`/g)].map(([, name]): [string, Calls] => [name!, calls]);
  }),
);

const sorted = (calls: Calls): Calls =>
  Object.fromEntries(Object.entries(calls).map(([place, actions]) => [place, [...actions].sort()]));

describe('docs/reference/permissions.md', () => {
  it('explains every place', () => {
    expect(new Set(Object.values(labels))).toEqual(new Set(callPlaces));
    const explained = /## Where\n([\s\S]*?)\n## /.exec(page)![1]!;
    expect(Object.keys(labels).filter((label) => !explained.includes(label))).toEqual([]);
  });

  it('has every command and no other', () => {
    const names = [...written.keys()].filter((name) => name !== 'analyst');
    expect(names.sort()).toEqual([...commandNames].sort());
  });

  it.each(commandNames)('lists the calls of %s', (name) => {
    expect(written.get(name)).toEqual(sorted(commandCalls[name]));
  });

  it('lists what the analyst has besides its commands', () => {
    const besides: Partial<Record<CallPlace, readonly string[]>> = {};
    for (const [place, actions] of Object.entries(callsOf('analyst')) as [CallPlace, string[]][]) {
      const known = roleCommands.analyst.flatMap((name) => commandCalls[name][place] ?? []);
      const more = actions.filter((action) => !known.includes(action));
      if (more.length > 0) besides[place] = more;
    }
    expect(written.get('analyst')).toEqual(besides);
  });

  it('says which commands each role is for', () => {
    for (const role of roleNames) {
      const row = new RegExp(`^\\| \`${role}\` \\| ([^|]+) \\|`, 'm').exec(page)![1]!;
      const names = [...row.matchAll(/`([^`]+)`/g)].map((found) => found[1]!);
      expect(names).toEqual(roleCommands[role]);
    }
  });
});
