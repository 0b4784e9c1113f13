// How the changes of one partition come into the table: by writing its files anew, or by marking the old rows as deleted and
// adding a file of new rows. A pure function of what manifests say of the partition and of how many changes there are.
//
// Marking costs what changes, and leaves work to every reader: deleted positions to skip, and one more file. So it is bounded,
// and the bounds make a steady stream of windows converge. With s the share below, a row is written about 1/s times before it
// lies in the order of its partition again, however many windows bring changes: each rewriting comes after s of the rows have
// changed. Small files are folded into the next file of new rows, so a partition has only a few of them at any time.
// The figures are in ARCHITECTURE.md, "Two ways to change a partition".

/** Bytes of a partition's data files up to which it is written anew: that takes no longer than a few small files, and
 *  nobody has to skip anything. */
export const rewriteBytesMax: number = 1024 * 1024;
/** Share of a partition's rows that may be deleted ones, or lie in small files, before it is written anew. */
export const markedShareMax = 0.1;
/** Bytes of a data file that counts as small. */
export const smallBytesMax: number = 4 * 1024 * 1024;
/** Small files of a partition from which on they are folded into the next file of new rows. */
export const smallFilesMax = 4;
/** Bytes of files folded in at once, about: they are held in memory. */
export const foldBytesMax: number = 16 * 1024 * 1024;
/** Data files that a partition may have beside one for each `bytesPerFile` of it. */
export const filesMax = 8;
/** A partition with smaller files than this on average, and more than filesMax, is written anew. */
export const bytesPerFile: number = 64 * 1024 * 1024;

/** Changes of a partition up to which rows are marked: they are held in memory together, where rewriting goes range by range. */
export const changesMax = 131_072;

/** A data file of a partition, as manifests have it. */
export interface FileFacts {
  readonly path: string;
  readonly bytes: number;
  /** Deleted rows included. */
  readonly rows: number;
}

/** What the choice depends on. */
export interface PartitionFacts {
  readonly files: readonly FileFacts[];
  /** Positions in its delete files. */
  readonly deletedRows: number;
  /** Whether every delete file is for one data file. Others cannot be replaced file by file. */
  readonly areDeletesBound: boolean;
  /** Changed keys of the window that fall into it. */
  readonly changes: number;
}

/** What to do with a partition; `fold`: paths of data files that are read whole and leave. */
export type Way =
  | { readonly way: 'rewrite' }
  | { readonly way: 'mark'; readonly fold: readonly string[] };

/** What a caller may ask for instead of a choice. */
export type ForcedWay = 'rewrite' | 'mark';

const rewrite: Way = { way: 'rewrite' };

/** Chooses for one partition. With `forced`, that way as far as it is possible. */
export function chooseWay(facts: PartitionFacts, forced?: ForcedWay): Way {
  const { files, changes } = facts;
  if (forced === 'rewrite' || files.length === 0 || !facts.areDeletesBound) return rewrite;
  const bytes = sum(files, (file) => file.bytes);
  const rows = sum(files, (file) => file.rows);
  const small = files
    .filter((file) => file.bytes <= smallBytesMax && file.rows <= rows * markedShareMax)
    .sort((a, b) => a.bytes - b.bytes);
  if (forced !== 'mark') {
    if (bytes <= rewriteBytesMax || changes > changesMax) return rewrite;
    const marked = Math.max(
      facts.deletedRows,
      sum(small, (file) => file.rows),
    );
    if (marked + changes > rows * markedShareMax) return rewrite;
    if (files.length >= filesMax + Math.ceil(bytes / bytesPerFile)) return rewrite;
  }
  return { way: 'mark', fold: small.length < smallFilesMax ? [] : foldable(small) };
}

/** The smallest files that are held in memory together. */
function foldable(smallestFirst: readonly FileFacts[]): string[] {
  const paths: string[] = [];
  let bytes = 0;
  for (const file of smallestFirst) {
    bytes += file.bytes;
    if (bytes > foldBytesMax) break;
    paths.push(file.path);
  }
  return paths;
}

function sum<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((total, one) => total + of(one), 0);
}
