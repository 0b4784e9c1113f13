// Position delete files, as other writers leave them: which rows of a data file are gone.
// Source: Apache Iceberg spec, "Position Delete Files": file_path is field 2147483546, pos is 2147483545.

import { tableFromIPC } from 'apache-arrow';
import type { ManifestEntry } from '../../schemas/iceberg.js';
import type { ObjectStore } from '../ports.js';
import { decodeRowGroups } from './parquet/decode-row-group.js';
import { readFooter } from './parquet/footer.js';

/** Positions deleted in a data file, ascending; null when there are none. */
export async function deletedPositions(
  store: ObjectStore,
  dataUri: string,
  data: ManifestEntry,
  deletes: readonly ManifestEntry[],
  actual: (entry: ManifestEntry) => string,
): Promise<Int32Array | null> {
  if (deletes.length === 0) return null;
  const positions = new Set<number>();
  for (const entry of deletes) {
    const uri = actual(entry);
    const readRange = (start: number, end: number): Promise<Uint8Array> =>
      store.read(uri, { start, end });
    const footer = await readFooter(readRange, Number(entry.file.fileSizeBytes), uri);
    const indexes = footer.rowGroups.map((_, i) => i);
    const table = tableFromIPC(await decodeRowGroups({ readRange, footer, indexes }));
    const paths = table.getChild('file_path')!;
    const rows = table.getChild('pos')!;
    for (let i = 0; i < table.numRows; i++) {
      const path = String(paths.get(i));
      if (path === data.file.path || path === dataUri) positions.add(Number(rows.get(i)));
    }
  }
  return Int32Array.from(positions).sort();
}
