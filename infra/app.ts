// The CDK app: one lake, as the context of cdk.json or `cdk -c lake.NAME=VALUE` describes it.
// Promises: unknown or malformed settings are refused with their name; needs no account and no network to synthesize.
// Source: docs/how-to/infrastructure.md.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { Aws, Stack } from 'aws-cdk-lib';
import { tableNameOf } from '../pipeline/lake/table-name.js';
import { Lake, stackDescription } from './lake.js';
import { loadSavedQueries } from './saved-queries.js';
import { checkedApp, giveReasons } from './security-checks.js';
import { readSettings, tableArn } from './settings.js';

const app = checkedApp();
const { name, tables, runner, ...settings } = readSettings(app.node.getAllContext());
const stack = new Stack(app, `Lake-${name}`, { description: stackDescription });
const { database } = settings;
const folder = queriesFolder();
const lakeTables = [...new Set(tables.map((table) => tableNameOf(table.replace(/^.*\//, ''))))];
const lake = new Lake(stack, 'Lake', {
  lakeName: name,
  tableArns: tables.map((table) => tableArn(table, Aws.PARTITION, Aws.REGION, Aws.ACCOUNT_ID)),
  savedQueries: lakeTables.flatMap((table) => loadSavedQueries({ folder, database, table })),
  ...settings,
  ...(runner === undefined ? {} : { runner: { ...runner, lakeTables } }),
});
giveReasons(lake);
app.synth();

/** The folder of the saved queries, from the sources and from the build. */
function queriesFolder(): string {
  const candidates = ['../queries/saved', '../../queries/saved'];
  const found = candidates.map((one) => path.join(import.meta.dirname, one)).find(existsSync);
  if (found === undefined) throw new Error('the package has no saved queries');
  return found;
}
