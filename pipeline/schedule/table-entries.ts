// Entries of the configuration: what holds for a table that one of them names, and which one an export's table belongs to.
// Promises: pure; an entry's own settings go before the defaults, and the layout is one setting. Spec: schemas/config.ts.

import type { TableEntry, TidelakeConfig } from '../../schemas/config.js';
import type { SettingsOf, SourceTable } from '../../schemas/source-settings.js';
import type { Destination } from '../../schemas/table-exports.js';
import type { ExportsPlace, TableSettings } from '../../schemas/table-settings.js';

/** What holds for the tables of an entry: its own settings, and the defaults where it has none. */
export function settingsOfEntry(config: TidelakeConfig, entry: TableSettings): TableSettings {
  const { buckets, partition, ...others } = config.defaults ?? {};
  const isLaidOut = entry.buckets !== undefined || entry.partition !== undefined;
  return {
    ...others,
    ...(isLaidOut ? {} : { buckets, partition }),
    ...given(entry),
    exports: { ...config.exports, ...given(others.exports ?? {}), ...given(entry.exports ?? {}) },
  };
}

/** Where exports go; null: no bucket is named. */
export function destinationOf(place: ExportsPlace): Destination | null {
  if (place.bucket === undefined) return null;
  return {
    s3Bucket: place.bucket,
    s3Prefix: (place.prefix ?? '').replace(/^\/+|\/+$/g, ''),
    s3BucketOwner: place.bucketOwner ?? null,
    s3SseAlgorithm: place.sse ?? (place.kmsKey === undefined ? null : 'KMS'),
    s3SseKmsKeyId: place.kmsKey ?? null,
  };
}

/** Whether an entry by prefix or tag leaves a table out. */
export function isExcepted(entry: TableEntry, tableName: string): boolean {
  return (entry.except ?? []).some((one) =>
    one.endsWith('*') ? tableName.startsWith(one.slice(0, -1)) : tableName === one,
  );
}

/** Name of an entry for people: `"shop-" (prefix)`. */
export function entryText(entry: TableEntry): string {
  if (entry.name !== undefined) return entry.name;
  if (entry.prefix !== undefined) return `prefix "${entry.prefix}"`;
  const tags = Object.entries(entry.tag ?? {}).map(([key, value]) => `${key}=${value}`);
  return `tag ${tags.join(', ')}`;
}

/**
 * What is configured for the table of an export, by its name and ARN: of the entry by name, else of the one by prefix, else
 * the defaults. Tags are not in exports, so entries by tag have no say here.
 */
export function configuredSettings(config: TidelakeConfig): SettingsOf {
  return (source) => {
    const entries = (config.tables ?? []).map((one) => ({
      ...one,
      ...settingsOfEntry(config, one),
    }));
    const entry =
      entries.find((one) => one.name !== undefined && isOfEntry(one, one.name, source)) ??
      entries.find(
        (one) =>
          one.prefix !== undefined &&
          source.tableName.startsWith(one.prefix) &&
          !isExcepted(one, source.tableName) &&
          isInPlace(one, source),
      );
    const { key, buckets, partition, naming, retype, retypeBytesMax } = settingsOfEntry(
      config,
      entry ?? {},
    );
    const table = entry?.lakeTable;
    return given({ table, key, buckets, partition, naming, retype, retypeBytesMax });
  };
}

function isOfEntry(entry: TableEntry, name: string, source: SourceTable): boolean {
  if (name.startsWith('arn:')) return name === source.tableArn;
  return name === source.tableName && isInPlace(entry, source);
}

/** Whether an export's table is in the Region and account that an entry names, if it names any. */
function isInPlace({ region, account }: TableEntry, { tableArn }: SourceTable): boolean {
  const [, , , inRegion, inAccount] = tableArn.split(':');
  return (
    (region === undefined || region === inRegion) &&
    (account === undefined || account === inAccount)
  );
}

type Given<T> = { readonly [K in keyof T]: Exclude<T[K], undefined> };

/** An object without the fields that are undefined. */
function given<T extends object>(object: T): Partial<Given<T>> {
  return Object.fromEntries(
    Object.entries(object).filter(([, value]) => value !== undefined),
  ) as Partial<Given<T>>;
}
