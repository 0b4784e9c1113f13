// The S3 keys an export may name, and where each may lie now that the export was perhaps moved.
// Promises: no key leads outside the export's own folders, whatever the manifests say.
// Source: Amazon DynamoDB Developer Guide, "DynamoDB table exports, output format"; its examples show keys with and without the prefix.
import { refuse, type TidelakeError } from '../../schemas/errors.js';
import type { ExportSummary } from '../../schemas/export-manifest.js';
import { nothingWritten } from './manifest-bytes.js';
import { folderOf } from './uri-parts.js';

/** Where the files of one export are looked for. */
export interface ExportPlace {
  /** URIs where `manifest-files.json` may lie, in the order to try them. */
  readonly fileList: readonly string[];
  /** URIs where the data file of that key may lie, in the order to try. Throws REFUSED_FOREIGN_PATH. */
  dataFile(key: string): readonly string[];
}

/**
 * The place of the export that `summary` describes: the keys as written below the store's root (the summary's own key,
 * taken off its URI), then below the prefix, then relative to where the summary lies. Throws REFUSED_FOREIGN_PATH when
 * the summary's own prefix or key is no honest one.
 */
export function placeOf(summary: ExportSummary): ExportPlace {
  const prefix = prefixOf(summary.s3Prefix);
  const exportId = summary.exportArn.slice(summary.exportArn.lastIndexOf('/') + 1);
  const folder = `AWSDynamoDB/${exportId}`;
  const withinPrefix = (key: string): string => (prefix === '' ? key : withoutPrefix(key, prefix));
  if (withinPrefix(summary.manifestFilesS3Key) !== `${folder}/manifest-files.json`) {
    throw foreign('manifestFilesS3Key');
  }
  const here = folderOf(summary.summaryUri);
  const isFull = summary.type === 'FULL_EXPORT';
  const dataFolder = isFull ? `${folder}/data` : 'AWSDynamoDB/data';
  // A full export's data lies in its own folder, an incremental one's in the folder that it shares with others.
  const dataHere = isFull ? `${here}/data` : `${folderOf(here)}/data`;
  const roots = rootsOf(here, summary.manifestFilesS3Key, `${folder}/manifest-files.json`);
  const below = (key: string): string[] => {
    const bare = withinPrefix(key);
    const prefixed = prefix === '' ? [] : roots.map((root) => `${root}/${prefix}/${bare}`);
    return [...roots.map((root) => `${root}/${key}`), ...prefixed];
  };
  return {
    fileList: unique([...below(summary.manifestFilesS3Key), `${here}/manifest-files.json`]),
    dataFile: (key) => {
      const bare = withinPrefix(key);
      const name = bare.startsWith(`${dataFolder}/`) ? bare.slice(dataFolder.length + 1) : '';
      if (!/^[\w.-]{1,255}\.json\.gz$/.test(name)) throw foreign('dataFileS3Key');
      return unique([...below(key), `${dataHere}/${name}`]);
    },
  };
}

/** What the export's root may be: its URI without the key as written, or without the part after the prefix. */
function rootsOf(here: string, key: string, bareKey: string): readonly string[] {
  return unique(
    [key, bareKey]
      .map((suffix) => `/${folderOf(suffix)}`)
      .filter((suffix) => here.endsWith(suffix))
      .map((suffix) => here.slice(0, -suffix.length)),
  );
}

/** The prefix without slashes at its ends; '' when there is none. */
function prefixOf(written: string | null): string {
  const prefix = (written ?? '').replace(/^\/+|\/+$/g, '');
  const isForeign =
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be in a path
    /[\\\u0000-\u001f\u007f]|%2f|%5c|%2e|:\/\//i.test(prefix) ||
    prefix.split('/').some((part) => part === '.' || part === '..');
  if (isForeign) throw foreign('s3Prefix');
  return prefix;
}

/** The key after `prefix/`, where it begins so; else the key. */
function withoutPrefix(key: string, prefix: string): string {
  return key.startsWith(`${prefix}/`) ? key.slice(prefix.length + 1) : key;
}

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}

function foreign(field: string): TidelakeError {
  return refuse(
    'REFUSED_FOREIGN_PATH',
    `${field} names a place outside the export's own folders`,
    nothingWritten,
    'do not use this export: its manifest was not written by DynamoDB for these files',
  );
}
