// Records that are wrong in every way, full of secrets: what is said about them names file and line, never content.
// Promises: no error, nor what caused it, carries a name, key or value of an item.
// Source: schemas/errors.ts ("No message ever carries an item's content").

import { expect, it } from 'vitest';
import { TidelakeError } from '../../pipeline/index.js';
import {
  type Change,
  fullExport,
  incrementalExport,
  type TablePast,
} from '../../pipeline/simulator/index.js';
import { contents, memoryWorld, StoryLake } from './story-world.js';
import { hour, Tale } from './tale.js';

const secret = 'CANARY';
const good = `{"pk":{"S":"${secret}-good"},"v":{"S":"${secret}"}}`;
const s = (text: string): string => `{"S":"${text}"}`;

/** Items no DynamoDB table holds. */
const badItems: readonly string[] = [
  `{"v":${s(secret)}}`,
  `{"pk":{"N":"1"},"v":${s(secret)}}`,
  `{"pk":${s('')},"v":${s(secret)}}`,
  `{"pk":${s(secret)},"pk":${s(secret)}}`,
  `{"pk":${s(secret)},"v":{"${secret}":"x"}}`,
  `{"pk":${s(secret)},"v":{"S":"${secret}","N":"1"}}`,
  `{"pk":${s(secret)},"v":{"N":"${secret}"}}`,
  `{"pk":${s(secret)},"v":{"N":"1E9999"},"w":${s(secret)}}`,
  `{"pk":${s(secret)},"v":{"B":"${secret}!!"}}`,
  `{"pk":${s(secret)},"v":{"BOOL":"${secret}"}}`,
  `{"pk":${s(secret)},"v":{"NULL":false},"w":${s(secret)}}`,
  `{"pk":${s(secret)},"v":{"SS":["${secret}","${secret}"]}}`,
  `{"pk":${s(secret)},"v":{"SS":[1]},"w":${s(secret)}}`,
  `{"pk":${s(secret)},"v":{"L":[{"S":"${secret}"}}}`,
  `{"pk":${s(secret)},"v":{"M":{"${secret}":{"S":"${secret}"}}`,
  `{"pk":${s(secret)},"v":${s(`${secret}\\uD800`)}}`,
  `{"pk":${s(secret)},"v":${s(`${secret}\\x`)}}`,
  `{"pk":${s(secret)}}{"${secret}":1}`,
  `"${secret}"`,
  `{"pk":${s(`${secret}-good`)},"twice":${s(secret)}}`,
];

/** A table whose images are what a test says, right or wrong. */
function pastOf(
  table: TablePast,
  images: readonly string[],
  changes: readonly Change[] = [],
): TablePast {
  const past = {
    imagesAt: () => images.map((json, hash) => ({ hash, json })),
    changesIn: () => changes,
  };
  return Object.assign(Object.create(table) as TablePast, past, {
    name: table.name,
    arn: table.arn,
    tableId: table.tableId,
    key: table.key,
  });
}

/** Everything an error says, its causes and stacks included. */
function everythingOf(error: unknown): string {
  const said: string[] = [];
  for (
    let at: unknown = error, depth = 0;
    at instanceof Error && depth < 5;
    at = at.cause, depth++
  ) {
    said.push(String(at), at.stack ?? '', JSON.stringify(at));
  }
  return said.join('\n');
}

it.each(badItems)('a full export is refused without a word of its content (%#)', async (bad) => {
  const lake = new StoryLake(memoryWorld('secrets'));
  const tale = new Tale(lake);
  const { folderUri } = await fullExport({
    table: pastOf(tale.table, [good, bad, good.replace('good', 'other')]),
    store: lake.world.store,
    folderUri: lake.exportsUri,
    files: 1,
    atMicros: hour(0) * 1000,
  });
  const error = await lake.load(folderUri, { key: ['pk'] }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(TidelakeError);
  expect((error as TidelakeError).code).toMatch(/^REFUSED_(RECORD|KEY|COUNT)$/);
  expect(everythingOf(error)).not.toContain(secret);
  expect(await contents(lake.world.store, lake.lake)).toEqual(new Map());
});

it.each(badItems)('a window is refused without a word of its content (%#)', async (bad) => {
  const lake = new StoryLake(memoryWorld('secrets'));
  const tale = new Tale(lake);
  tale.put(-1, { pk: { S: `${secret}-good` }, v: { S: secret } });
  await tale.load();
  const before = await contents(lake.world.store, lake.lake);
  const change = (keys: string, newImage: string): Change => ({
    hash: 1,
    micros: hour(0) * 1000 + 1,
    keys,
    oldImage: null,
    newImage,
  });
  const keys = `{"pk":${s(`${secret}-good`)}}`;
  const { folderUri } = await incrementalExport({
    table: pastOf(tale.table, [], [change(keys, good), change(`{"pk":${s(secret)}}`, bad)]),
    store: lake.world.store,
    folderUri: lake.exportsUri,
    files: 1,
    fromMs: hour(0),
    toMs: hour(1),
    view: 'NEW_IMAGE',
  });
  const [report] = await lake.merge(folderUri);
  expect(report!.action).toBe('refused');
  expect(report!.error!.code).toMatch(/^REFUSED_(RECORD|KEY|COUNT)$/);
  expect(JSON.stringify(report)).not.toContain(secret);
  expect(await contents(lake.world.store, lake.lake)).toEqual(before);
});
