// Objects of any store as files of this machine, for engines that open paths.
// Promises: a file: URI is its own path; any other object is copied once into scratch space, of Parquet files only the
// columns that are asked for, as a sparse file of the object's length; what is no hole is byte for byte the object's.
// Source: ports.ts, LocalFiles; apache/parquet-format, README.md ("File format"): every column chunk is one range of bytes.
import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { copyPieceBytes, copyRunsMax, rangeGapBytesMax } from '../../schemas/limits.js';
import { damaged, type ParquetFooter, readFooter } from '../lake/parquet/footer.js';
import { type LocalFiles, ObjectNotFoundError, type ObjectStore } from '../ports.js';
import { writeError } from './file-errors.js';
import { toPath } from './file-uri.js';

/** Bytes [start, end) of an object. */
interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** What is here of one object. */
interface Copy {
  readonly uri: string;
  readonly path: string;
  readonly size: number;
  /** The footer, once a part was asked for; null for what is copied whole. */
  footer: ParquetFooter | null;
  /** Top-level columns that are here, by field id. */
  readonly columns: Set<number>;
  isWhole: boolean;
  /** Everything outside column chunks is here: the frame that any reader wants. */
  hasFrame: boolean;
}

/** Local files over a store, with copies in a private folder that somebody else removes. */
export class CopiedFiles implements LocalFiles {
  readonly #store: ObjectStore;
  readonly #folder: string;
  /** By URI, null after a beginning that failed; each request waits for the one before, since both write to one file. */
  readonly #copies: Map<string, Promise<Copy | null>> = new Map();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @param folder scratch space, e.g. that of DiskScratch: whoever closes that removes the copies */
  constructor(store: ObjectStore, folder: string) {
    this.#store = store;
    this.#folder = path.join(folder, 'objects');
  }

  async path(uri: string, size?: number, columns?: readonly number[]): Promise<string> {
    if (uri.startsWith('file:') || uri.startsWith('/')) return toPath(uri);
    const before = this.#copies.get(uri) ?? Promise.resolve(null);
    const copy = before.then((known) =>
      this.#turn(async () => {
        const one = known ?? (await this.#begin(uri, size));
        await this.#complete(one, columns);
        return one;
      }),
    );
    // What was here before a failure is here after it, under a path that was given out.
    this.#copies.set(
      uri,
      copy.catch(() => before),
    );
    return (await copy).path;
  }

  /** Runs `work` when a slot is free. */
  async #turn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= copyRunsMax) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running += 1;
    try {
      return await work();
    } finally {
      // The slot goes from hand to hand, so that nobody overtakes those who wait.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  async #begin(uri: string, given: number | undefined): Promise<Copy> {
    const size = given ?? (await this.#store.size(uri));
    if (size === null) throw new ObjectNotFoundError(uri);
    // A name that no key of an object can lead out of the folder.
    const name = createHash('sha256').update(uri).digest('hex');
    return {
      uri,
      path: path.join(this.#folder, `${name}.parquet`),
      size,
      footer: null,
      columns: new Set(),
      isWhole: false,
      hasFrame: false,
    };
  }

  async #complete(copy: Copy, columns: readonly number[] | undefined): Promise<void> {
    if (copy.isWhole) return;
    const wanted = columns?.filter((id) => !copy.columns.has(id)) ?? [];
    if (columns !== undefined && copy.hasFrame && wanted.length === 0) return;
    const { uri, size } = copy;
    const read = (start: number, end: number): Promise<Uint8Array> =>
      this.#store.read(uri, { start, end });
    if (columns !== undefined) copy.footer ??= await readFooter(read, size, lastPart(uri));
    const isPart = columns !== undefined && copy.footer !== null && hasFieldIds(copy.footer);
    const ranges = isPart
      ? rangesOf(copy.footer!, size, new Set(wanted), copy.hasFrame)
      : [{ start: 0, end: size }];
    await this.#fetch(copy, ranges);
    if (isPart) {
      copy.hasFrame = true;
      for (const id of wanted) copy.columns.add(id);
    } else copy.isWhole = true;
  }

  async #fetch(copy: Copy, ranges: readonly ByteRange[]): Promise<void> {
    let file: FileHandle;
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      file = await open(copy.path, copy.hasFrame ? 'r+' : 'w', 0o600);
    } catch (error) {
      throw writeError(error, copy.path);
    }
    try {
      if (!copy.hasFrame) await file.truncate(copy.size);
      for (const { start, end } of piecesOf(ranges)) {
        const bytes = await this.#store.read(copy.uri, { start, end });
        if (bytes.length !== end - start) {
          throw damaged(lastPart(copy.uri), `it is shorter than its ${copy.size} bytes`);
        }
        await writeAt(file, bytes, start, copy.path);
      }
    } finally {
      await file.close();
    }
  }
}

async function writeAt(
  file: FileHandle,
  bytes: Uint8Array,
  position: number,
  filePath: string,
): Promise<void> {
  try {
    let written = 0;
    while (written < bytes.length) {
      const rest = bytes.length - written;
      const { bytesWritten } = await file.write(bytes, written, rest, position + written);
      written += bytesWritten;
    }
  } catch (error) {
    throw writeError(error, filePath);
  }
}

/** Whether every top-level column has an id to ask for it by. */
function hasFieldIds(footer: ParquetFooter): boolean {
  return footer.columns.every((column) => column.fieldId !== null);
}

/** The chunks of the wanted columns and, unless it is here already, all that belongs to no chunk. Ascending. */
function rangesOf(
  footer: ParquetFooter,
  size: number,
  wanted: ReadonlySet<number>,
  hasFrame: boolean,
): readonly ByteRange[] {
  const chunks = footer.rowGroups.flatMap((group) =>
    group.columns.map((chunk, i) => ({
      start: chunk.byteStart,
      end: chunk.byteEnd,
      isWanted: wanted.has(footer.leaves[i]!.path[0]!.fieldId!),
    })),
  );
  const ranges: ByteRange[] = chunks.filter((chunk) => chunk.isWanted);
  if (!hasFrame) {
    let end = 0;
    for (const chunk of [...chunks].sort((a, b) => a.start - b.start)) {
      if (chunk.start > end) ranges.push({ start: end, end: chunk.start });
      end = Math.max(end, chunk.end);
    }
    if (end < size) ranges.push({ start: end, end: size });
  }
  return ranges.sort((a, b) => a.start - b.start);
}

/** Ascending ranges, near ones joined and long ones cut: requests of bounded number and size. */
function* piecesOf(ranges: readonly ByteRange[]): Generator<ByteRange> {
  let from = 0;
  while (from < ranges.length) {
    const { start } = ranges[from]!;
    let { end } = ranges[from]!;
    from += 1;
    while (from < ranges.length && ranges[from]!.start - end <= rangeGapBytesMax) {
      end = Math.max(end, ranges[from]!.end);
      from += 1;
    }
    for (let at = start; at < end; at += copyPieceBytes) {
      yield { start: at, end: Math.min(end, at + copyPieceBytes) };
    }
  }
}

function lastPart(uri: string): string {
  return uri.slice(uri.lastIndexOf('/') + 1);
}
