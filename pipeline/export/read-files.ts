// Reads and checks manifest-files.json: which data files are the export's, and where they lie.
// Promises: every file named is there, named once, within the export's own folders, and their counts add up to the summary's.
// Source: Amazon DynamoDB Developer Guide, "DynamoDB table exports, output format" (manifest files).
import { z } from 'zod';
import { refuse } from '../../schemas/errors.js';
import type { ExportDataFile, ExportSummary } from '../../schemas/export-manifest.js';
import type { ObjectStore } from '../ports.js';
import { type ExportPlace, placeOf } from './export-keys.js';
import { inputGone } from './input-gone.js';
import { badManifest, copyAgain, nothingWritten, readManifest } from './manifest-bytes.js';
import { decodeUtf8, ManifestTextError, parseObject } from './strict-json.js';
import { nameOf } from './uri-parts.js';

const lineSchema = z.object({
  itemCount: z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER),
  md5Checksum: z.string().refine(isMd5),
  dataFileS3Key: z.string(),
});

/** Files looked up at once. */
const width = 16;

interface NamedFile extends Omit<ExportDataFile, 'uri'> {
  /** Where it may lie, in the order to try. */
  readonly uris: readonly string[];
}

/**
 * The data files of an export, in the manifest's order, each where it really lies. Throws REFUSED_MANIFEST (missing,
 * malformed, a file listed twice), REFUSED_CHECKSUM, REFUSED_FOREIGN_PATH, REFUSED_COUNT, REFUSED_INPUT_GONE.
 */
export async function readDataFiles(
  store: ObjectStore,
  summary: ExportSummary,
): Promise<readonly ExportDataFile[]> {
  const place = placeOf(summary);
  const named = parseFileList(await readFileList(store, place, summary), place);
  const itemCount = named.reduce((sum, file) => sum + file.itemCount, 0);
  if (itemCount !== summary.itemCount) {
    throw refuse(
      'REFUSED_COUNT',
      `manifest-files.json lists ${itemCount} items, manifest-summary.json says ${summary.itemCount}`,
      nothingWritten,
      copyAgain,
    );
  }
  return locate(store, named);
}

async function readFileList(
  store: ObjectStore,
  place: ExportPlace,
  summary: ExportSummary,
): Promise<Uint8Array> {
  for (const uri of place.fileList) {
    const bytes = await readManifest(store, uri);
    if (bytes !== null) return bytes;
  }
  throw badManifest(summary.summaryUri, 'there is no manifest-files.json beside it');
}

function parseFileList(bytes: Uint8Array, place: ExportPlace): readonly NamedFile[] {
  const bad = (line: number, why: string): Error =>
    badManifest('manifest-files.json', `line ${line}: ${why}`);
  const files: NamedFile[] = [];
  const names = new Set<string>();
  let line = 0;
  for (const text of textOf(bytes).split('\n')) {
    line += 1;
    if (text.trim() === '') continue;
    const parsed = lineSchema.safeParse(parseLine(text, (why) => bad(line, why)));
    if (!parsed.success) {
      const fields = [...new Set(parsed.error.issues.map((issue) => String(issue.path[0])))];
      throw bad(line, `missing or malformed: ${fields.join(', ')}`);
    }
    const { itemCount, md5Checksum, dataFileS3Key } = parsed.data;
    const uris = place.dataFile(dataFileS3Key);
    // By name: one file under two spellings of its key would be counted twice just as well.
    if (names.has(nameOf(dataFileS3Key))) throw bad(line, 'a data file is listed twice');
    names.add(nameOf(dataFileS3Key));
    files.push({ itemCount, md5: md5Checksum, uris });
  }
  return files;
}

function textOf(bytes: Uint8Array): string {
  try {
    return decodeUtf8(bytes);
  } catch (error) {
    if (error instanceof ManifestTextError) throw badManifest('manifest-files.json', error.message);
    throw error;
  }
}

function parseLine(text: string, bad: (why: string) => Error): Readonly<Record<string, unknown>> {
  try {
    return parseObject(text);
  } catch (error) {
    if (error instanceof ManifestTextError) throw bad(error.message);
    throw error;
  }
}

async function locate(
  store: ObjectStore,
  named: readonly NamedFile[],
): Promise<readonly ExportDataFile[]> {
  const found: ExportDataFile[] = [];
  for (let start = 0; start < named.length; start += width) {
    const batch = named.slice(start, start + width);
    found.push(...(await Promise.all(batch.map((file) => locateOne(store, file)))));
  }
  return found;
}

async function locateOne(store: ObjectStore, file: NamedFile): Promise<ExportDataFile> {
  for (const uri of file.uris) {
    if ((await store.size(uri)) !== null) {
      return { uri, itemCount: file.itemCount, md5: file.md5 };
    }
  }
  throw inputGone(file.uris[0]!);
}

/** A data file that the manifest names is not there, or may not be read. */

/** Whether text is the base64 form of 16 bytes, as it is written and no other. */
function isMd5(text: string): boolean {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === 16 && bytes.toString('base64') === text;
}
