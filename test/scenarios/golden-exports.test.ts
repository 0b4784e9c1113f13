// Exports that were written down once: loading and merging them must go on giving the same items.
// Promises: neither the simulator nor the lake's writer of today has a say in what is expected.
// Source: test/fixtures/exports/README.md.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { DiskStory, differences } from './story-world.js';

const folder = fileURLToPath(new URL('../fixtures/exports', import.meta.url));
const cases = readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
);

interface Expected {
  readonly key: readonly string[];
  /** The full export, then the windows, with the items after each. */
  readonly steps: readonly { readonly export: string; readonly items: readonly string[] }[];
}

let lake: DiskStory | null = null;
afterEach(() => lake?.close());

it('finds the exports that were written down', () => {
  expect(cases.length).toBeGreaterThanOrEqual(4);
});

it.each(cases)('gives back the items of %s after each export', async (name) => {
  lake = DiskStory.open(name);
  const { key, steps } = JSON.parse(
    readFileSync(join(folder, name, 'expected.json'), 'utf8'),
  ) as Expected;
  expect(steps.length).toBeGreaterThan(1);
  for (const [i, step] of steps.entries()) {
    const uri = `file://${join(folder, name, step.export)}`;
    if (i === 0) await lake.load(uri, { key });
    else expect((await lake.merge(uri))[0]).toMatchObject({ action: 'applied' });
    const found = await lake.items();
    expect(differences(found, step.items)).toEqual({ missing: [], extra: [] });
    expect(found).toHaveLength(step.items.length);
  }
});
