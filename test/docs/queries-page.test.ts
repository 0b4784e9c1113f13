// docs/reference/queries.md lists what is shipped. To write it anew: npx vitest run test/docs/queries-page.test.ts -u

import path from 'node:path';
import { expect, it } from 'vitest';
import { queriesPage } from './queries-page.js';

const page = path.resolve(import.meta.dirname, '../../docs/reference/queries.md');

const beginning = `# Saved queries

What comes with Tidelake, by name. \`tidelake query NAME\` answers one here, \`tidelake query NAME --engine athena\` in
Athena, \`tidelake queries show NAME\` prints it. Parameters are given as \`--param name=value\`; those without a default
must be given. \`table\`, \`partition_key\` and \`sort_key\` fill themselves, so they are not listed.

Views can be named in SQL like tables, \`mystore_current\` for \`mystore-current\`; in Athena once they were made there
([how](../how-to/athena.md)). The answer of a check has no row while all is well. \`mystore\` is the table of the demo:
take its queries as patterns for your own ([the form](../../queries/README.md)).

`;

it('docs/reference/queries.md is the list of what is shipped', async () => {
  await expect(beginning + (await queriesPage())).toMatchFileSnapshot(page);
});
