// docs/reference/configuration.md, the published JSON Schema and the examples of all pages, against the rules in code.
// To write the page anew: npx vitest run test/docs/configuration-page.test.ts -u; the schema: npm run configschema
// Source: schemas/config.ts.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseConfig } from '../../pipeline/cli/config.js';
import { configJsonSchema, schemaAt } from '../../schemas/config-json-schema.js';
import { allKeys, configurationTables } from './configuration-page.js';

const root = path.resolve(import.meta.dirname, '../..');
const read = (name: string): string => readFileSync(path.join(root, name), 'utf8');
const published = JSON.parse(read('schemas/tidelake.config.schema.json')) as object;

const beginning = `# The configuration

\`tidelake.config.json\` in the working directory says where the lake is and which tables the job keeps fresh. Every key is
optional, flags go before it, and a name that is not here is refused, with the nearest one that is.

\`\`\`json
{
  "$schema": "./node_modules/tidelake/schemas/tidelake.config.schema.json",
  "lake": "s3://my-lake/lake",
  "database": "shop",
  "exports": { "bucket": "my-exports", "prefix": "raw" },
  "defaults": { "grainMinutes": 60, "lagMinutesMax": 180 },
  "tables": [
    { "name": "orders", "grainMinutes": 15, "partition": "truncate(created, 10)" },
    { "prefix": "shop-", "except": ["shop-tmp-*"] },
    { "tag": { "lake": "yes" }, "region": "us-east-1" }
  ]
}
\`\`\`

With \`$schema\`, editors complete and check the file; the package has that schema. How it is used for many tables:
[many tables](../how-to/many-tables.md).

Rules that hold between keys:

- A table is in one entry. One that two entries mean is refused by name (\`REFUSED_CONFIG\`), and so are two tables that
  would be one lake table; the others go on. \`except\` and \`lakeTable\` settle it.
- \`plan\`, \`run\` and \`export\` take all tables, or the one of \`--table\`, by its name in the lake or in DynamoDB. Flags about
  one table (\`--grain\`, \`--bucket\` and others) go with \`--table\`. \`--source\` names a table that is not in the file.
- \`load\` and \`merge\` by hand take a table's name, key, layout and rules from its entry by name, else by prefix, else from
  \`defaults\`. Tags do not stand in exports, so an entry by tag has no say there.
- \`naming\` is for a table that is new. A table keeps the rule it began with, in its column map, for new columns and new epochs
  too: no column is ever renamed.
- With \`retype\` \`ask\`, and above \`retypeBytesMax\`, a number that does not fit its column is a misfit, exact, and
  \`tidelake status\` names the command that makes the column wider. A key is never a misfit, so the type of a key column follows its
  values up to \`retypeBytesMax\` also with \`ask\`; above it the window is refused.
- The name \`columns\` among the settings of tables is kept for declared columns. It is refused as long as there are none.

`;

describe('docs/reference/configuration.md', () => {
  it('lists every setting with its description, values and default', async () => {
    const page = path.join(root, 'docs/reference/configuration.md');
    await expect(`${beginning}${configurationTables()}\n`).toMatchFileSnapshot(page);
  });

  it('has a description for every key', () => {
    const keys = allKeys();
    expect(keys).toEqual(expect.arrayContaining(['lake', 'defaults.retype', 'tables.except']));
    for (const key of keys.filter((one) => !one.startsWith('tables.'))) {
      expect([key, schemaAt(key.split('.'))?.description]).toEqual([
        key,
        expect.stringMatching(/\./),
      ]);
    }
  });
});

describe('schemas/tidelake.config.schema.json', () => {
  it('is what the rules in code give', () => {
    expect(published).toEqual(JSON.parse(JSON.stringify(configJsonSchema())));
  });

  it('is in the package', () => {
    const { files } = JSON.parse(read('package.json')) as { readonly files: readonly string[] };
    expect(files).toContain('schemas/tidelake.config.schema.json');
  });
});

/** JSON in the documents that is a configuration, by its keys. */
const examples = [
  'README.md',
  ...readdirSync(path.join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => path.join('docs', name)),
].flatMap((page) =>
  [...read(page).matchAll(/```json\n([\s\S]*?)```/g)]
    .map(([, text]) => text!)
    .filter((text) => /^\{[\s\S]*"(lake|tables|defaults|exports|database)":/.test(text))
    .map((text): [string, string] => [page, text]),
);

describe('examples of the configuration in the documents', () => {
  it('are found', () => {
    expect(examples.length).toBeGreaterThan(3);
  });

  it.each(examples)('of %s are configurations', (_, text) => {
    expect(parseConfig(Buffer.from(text))).toEqual(JSON.parse(text));
  });

  it.each(examples)('of %s pass the published schema', (_, text) => {
    // The schema as editors have it, read by zod's other half: JSON Schema to zod.
    const schema = z.fromJSONSchema(published as Parameters<typeof z.fromJSONSchema>[0]);
    expect(schema.safeParse(JSON.parse(text)).success).toBe(true);
    expect(schema.safeParse({ ...JSON.parse(text), laek: 'x' }).success).toBe(false);
  });
});
