// Streams the lines of an export's data file, checking every stored byte on the way.
// Promises: a stream that ends without an error gave exactly the bytes DynamoDB stored; until then what it gave is provisional. Memory is bounded whatever the file holds.
// Source: Amazon DynamoDB Developer Guide, "DynamoDB table exports, output format" (data files); RFC 1952 (gzip).
import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { createGunzip, type Gunzip } from 'node:zlib';
import { refuse, TidelakeError } from '../../schemas/errors.js';
import type { ExportDataFile } from '../../schemas/export-manifest.js';
import { bombBytesMin, inflateRatioMax, lineBytesMax } from '../../schemas/limits.js';
import { ObjectNotFoundError, type ObjectStore } from '../ports.js';
import { GzipFeed } from './gzip-feed.js';
import { inputGone } from './input-gone.js';
import { LineBlocks } from './line-blocks.js';
import { copyAgain, nothingWritten } from './manifest-bytes.js';

import { nameOf } from './uri-parts.js';

/** Size of the pieces the gunzip makes, in bytes: they are scanned while they are in the processor's cache. */
const inflatedPieceBytes = 256 * 1024;

/** What a stream may tell while it runs. */
export interface StreamDataFileOptions {
  /** Told the number of stored (compressed) bytes of each piece read. */
  readonly onProgress?: (bytes: number) => void;
}

/**
 * The decompressed file in blocks of some 100 kB, each ending at a line end (0x0A), the last one perhaps without. Blocks
 * are views of larger buffers that are not used again: keep them, but copy what is to be transferred. Counting the lines is the reader's part (see
 * `countMismatch`). Throws, at the latest at the end:
 * - REFUSED_CHECKSUM: other bytes than DynamoDB stored, broken gzip, or anything after the last gzip member;
 * - REFUSED_RECORD: not UTF-8; REFUSED_LIMIT: a line too long, or far more data than was stored; REFUSED_INPUT_GONE.
 * Wherever the stored bytes are wrong, REFUSED_CHECKSUM is the answer, whatever else was seen first. A reader that finds
 * a bad record itself calls `verifyMd5` to say the same.
 */
export async function* streamDataFile(
  store: ObjectStore,
  file: ExportDataFile,
  options: StreamDataFileOptions = {},
): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: inflatedPieceBytes });
  // Whoever reads the gunzip gets its error; without a listener it would end the process if it came before that.
  gunzip.on('error', () => {});
  const feed = new GzipFeed(store.stream(file.uri), gunzip, options.onProgress);
  try {
    yield* checkedBlocks(gunzip, feed, file);
    await feed.done;
    checkWhole(gunzip, feed, file);
  } catch (error) {
    const found = await worstOf(error, feed, file);
    if (found !== null) throw found;
  } finally {
    feed.stop();
    gunzip.destroy();
    await feed.done;
  }
}

/** Throws REFUSED_CHECKSUM when the stored bytes are not those that DynamoDB wrote, REFUSED_INPUT_GONE when they are gone. */
export async function verifyMd5(store: ObjectStore, file: ExportDataFile): Promise<void> {
  const hash = createHash('md5');
  try {
    for await (const piece of store.stream(file.uri)) hash.update(piece);
  } catch (error) {
    throw error instanceof ObjectNotFoundError ? inputGone(file.uri) : error;
  }
  if (hash.digest('base64') !== file.md5) throw otherBytes(file);
}

/** The refusal of a file that does not hold as many records as its manifest says. */
export function countMismatch(file: ExportDataFile, lines: number): TidelakeError {
  return refuse(
    'REFUSED_COUNT',
    `${nameOf(file.uri)} holds ${lines} records, the manifest says ${file.itemCount}`,
    nothingWritten,
    copyAgain,
  );
}

async function* checkedBlocks(
  gunzip: Gunzip,
  feed: GzipFeed,
  file: ExportDataFile,
): AsyncGenerator<Uint8Array> {
  const lines = new LineBlocks();
  let inflated = 0;
  let offset = 0;
  for await (const piece of gunzip as AsyncIterable<Buffer>) {
    inflated += piece.length;
    if (inflated > bombBytesMin && inflated > feed.bytes * inflateRatioMax) {
      throw overLimit(file, `inflates to over ${inflateRatioMax} times its size`);
    }
    const blocks = lines.add(piece);
    if (lines.longestBytes > lineBytesMax) {
      throw overLimit(file, `has a line of over ${lineBytesMax} bytes`);
    }
    for (const block of blocks) {
      checkUtf8(block, offset, file);
      offset += block.length;
      yield block;
    }
  }
  const last = lines.end();
  if (last === null) return;
  checkUtf8(last, offset, file);
  yield last;
}

/** What only the end of the file shows. */
function checkWhole(gunzip: Gunzip, feed: GzipFeed, file: ExportDataFile): void {
  if (feed.failure !== null) throw feed.failure;
  if (feed.md5() !== file.md5) throw otherBytes(file);
  const rest = feed.bytes - gunzip.bytesWritten;
  // Node's gunzip stops without an error at a zero byte after a member, and would drop what follows.
  if (rest !== 0) throw damaged(file, `has ${rest} bytes after the end of its gzip data`);
}

/** What is to be said of a stream that ended with `error`: null when nothing is wrong after all. */
async function worstOf(error: unknown, feed: GzipFeed, file: ExportDataFile): Promise<unknown> {
  if (error instanceof TidelakeError && error.code === 'REFUSED_CHECKSUM') return error;
  await feed.done;
  if (feed.failure instanceof ObjectNotFoundError) return inputGone(file.uri);
  if (feed.failure !== null) return feed.failure;
  if (feed.md5() !== file.md5) return otherBytes(file);
  if (!isZlibError(error)) return error;
  // To zlib, nothing at all is a gzip cut short; to us it is a file of no records.
  return feed.bytes === 0 ? null : damaged(file, `is not intact gzip (${error.code})`);
}

function checkUtf8(block: Uint8Array, offset: number, file: ExportDataFile): void {
  if (isUtf8(block)) return;
  let start = 0;
  for (let end = block.indexOf(10); end !== -1; end = block.indexOf(10, start)) {
    if (!isUtf8(block.subarray(start, end))) break;
    start = end + 1;
  }
  throw refuse(
    'REFUSED_RECORD',
    `${nameOf(file.uri)}: the record at byte ${offset + start} of the decompressed data is not UTF-8`,
    nothingWritten,
    copyAgain,
  );
}

function otherBytes(file: ExportDataFile): TidelakeError {
  return damaged(file, 'is not the file that the manifest lists: its MD5 differs');
}

function damaged(file: ExportDataFile, how: string): TidelakeError {
  return refuse('REFUSED_CHECKSUM', `${nameOf(file.uri)} ${how}`, nothingWritten, copyAgain);
}

function overLimit(file: ExportDataFile, how: string): TidelakeError {
  return refuse(
    'REFUSED_LIMIT',
    `${nameOf(file.uri)} ${how}`,
    nothingWritten,
    'check who wrote this file: DynamoDB exports hold no such data',
  );
}

function isZlibError(error: unknown): error is NodeJS.ErrnoException & { readonly code: string } {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' && code.startsWith('Z_');
}
