// Scatters a table's files into small ones, as many merges of few changes would: each live file becomes some, in the order of
// its keys, in one `replace` snapshot. For tests of compaction on any store.
// Promises: the rows stay as they are; the new files are such as Tidelake writes.
// Source: pipeline/units/merge-unit.ts, pipeline/lake/data-file-writer.ts.

import { DataFileWriter } from '../../pipeline/lake/data-file-writer.js';
import { specById } from '../../pipeline/lake/iceberg/metadata.js';
import type { AddedFile } from '../../pipeline/lake/iceberg/snapshot-builder.js';
import type { MergeInput, MergeOutput } from '../../pipeline/units/merge-unit.js';
import { readColumns } from '../../transforms/column-map.js';
import { ForeignWriter } from '../scenarios/foreign-writer.js';
import type { StoryLake } from '../scenarios/story-world.js';

/** Splits every data file of the current snapshot; gives the new snapshot's id. */
export async function scatter(lake: StoryLake, pieces: number): Promise<bigint> {
  const foreign = new ForeignWriter(lake);
  const { world } = lake;
  const { md } = await lake.open();
  const table = readColumns(md, md['current-schema-id']);
  const added: AddedFile[] = [];
  const removed: string[] = [];
  for (const { file, specId } of await foreign.files()) {
    const rows = Number(file.recordCount);
    for (let piece = 0; piece < pieces; piece++) {
      const start = Math.floor((rows * piece) / pieces);
      const end = Math.floor((rows * (piece + 1)) / pieces);
      if (start === end) continue;
      const others = Array.from({ length: rows }, (_, i) => i).filter((i) => i < start || i >= end);
      const { groups } = await world.units.run<MergeInput, MergeOutput>('merge', {
        sources: [
          {
            uri: file.path,
            size: Number(file.fileSizeBytes),
            groups: null,
            deleted: Int32Array.from(others),
          },
        ],
        before: table,
        table,
        oldSegments: [],
        segments: [],
        groupRowsMax: 65_536,
        removeOnly: false,
      });
      const writer = new DataFileWriter({
        store: world.store,
        ids: world.ids,
        location: md.location,
        table,
        spec: specById(md, specId),
        partition: file.partition,
        sortOrderId: null,
      });
      for (const group of groups) await writer.add(group);
      added.push({ ...(await writer.close())!, specId });
    }
    removed.push(file.path);
  }
  return foreign.commit('replace', { added, removed });
}
