// The way back: every row of a snapshot as DynamoDB JSON, in gzip files that ImportTable takes as they are.
// Source: DynamoDB Developer Guide, "DynamoDB data import formats": `{"Item":{…}}` lines, GZIP.

import { refuse } from '../../schemas/errors.js';
import type { ManifestEntry } from '../../schemas/iceberg.js';
import { readColumns } from '../../transforms/column-map.js';
import { liveFiles } from '../lake/iceberg/live-files.js';
import { currentSnapshot } from '../lake/iceberg/metadata.js';
import { locate } from '../lake/iceberg/paths.js';
import { statedRows } from '../lake/iceberg/snapshot-summary.js';
import { formatInstant } from '../lake/lake-state.js';
import { oneTable } from '../lake/one-table.js';
import { openCatalog } from '../lake/open-catalog.js';
import { mainLine, openTable } from '../lake/open-table.js';
import { readFooter } from '../lake/parquet/footer.js';
import { positionsIn, readDeletedRows } from '../lake/position-deletes.js';
import { runOrdered } from '../load/run-ordered.js';
import type { World } from '../ports.js';
import { parseAsOf } from '../query/as-of.js';
import { snapshotAt } from '../query/query.js';
import type { Target, UnloadReport } from '../reports.js';
import type { GroupSource } from '../units/merge-unit.js';
import type { RenderInput, RenderOutput } from '../units/render-unit.js';

export interface UnloadOptions extends Target {
  readonly outUri: string;
  /** ISO instant, or `snapshot:ID`. */
  readonly asOf?: string;
}

/** Writes all items of a table to `<out>/<n>.json.gz`. Refuses a folder that is not empty. */
export async function unload(world: World, options: UnloadOptions): Promise<UnloadReport> {
  const startMs = world.clock.nowMs();
  const { store } = world;
  const catalog = await openCatalog(world, options);
  const table = await oneTable(catalog, options);
  const open = (await openTable({ store, catalog, database: options.database, table }))!;
  const out = options.outUri.replace(/\/+$/, '');
  for await (const { uri } of store.list(out)) {
    throw refuse(
      'REFUSED_NOT_EMPTY',
      `${out} holds files already, ${uri.slice(uri.lastIndexOf('/') + 1)} among them`,
      'an import would take them for items of the table; nothing was written',
      'tidelake unload --out with an empty or new folder',
    );
  }
  const snapshot =
    options.asOf === undefined
      ? currentSnapshot(open.md)!
      : snapshotAt(world, open, parseAsOf(options.asOf));
  const columns = readColumns(open.md, snapshot['schema-id'] ?? open.md['current-schema-id']);
  const live = await liveFiles(store, open.md, snapshot, open.location);
  const deleted = await readDeletedRows(store, open, live);
  const step = world.reporter.step('unload', statedRows(snapshot.summary) ?? 0, 'items');
  let items = 0;
  let files = 0;
  let bytes = 0;
  const actual = (entry: ManifestEntry): string =>
    locate(open.md.location, open.location, entry.file.path);
  const sources: GroupSource[] = [];
  for (const entry of live.data) {
    const uri = actual(entry);
    const size = Number(entry.file.fileSizeBytes);
    const footer = await readFooter((start, end) => store.read(uri, { start, end }), size, uri);
    const gone = deleted.positions.get(entry.file.path) ?? null;
    let start = 0;
    footer.rowGroups.forEach(({ rowCount }, i) => {
      const own = positionsIn(gone, start, start + rowCount);
      sources.push({ uri, size, groups: [i], deleted: own });
      start += rowCount;
    });
  }
  await runOrdered(
    sources,
    world.units.width,
    (source) => world.units.run<RenderInput, RenderOutput>('render', { source, table: columns }),
    async (output) => {
      if (output.items > 0) {
        await store.put(`${out}/${String(files).padStart(5, '0')}.json.gz`, output.gz);
        files++;
        bytes += output.gz.length;
      }
      items += output.items;
      step.advance(output.items);
    },
  );
  step.done();
  const dated = mainLine(open.md).find(
    (one) => one.snapshot['snapshot-id'] === snapshot['snapshot-id'],
  );
  return {
    items,
    files,
    bytes,
    watermark: formatInstant(dated?.watermarkMs ?? open.state.watermarkMs),
    snapshotId: String(snapshot['snapshot-id']),
    out: options.outUri,
    seconds: (world.clock.nowMs() - startMs) / 1000,
  };
}
