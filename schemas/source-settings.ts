// What the configuration says of the DynamoDB table that an export is of, for loading and merging it by hand.
// Promises: what a caller gives goes before it, field by field; the layout is one field.
// Spec: DESIGN "The table" (the key), "Scan and type" (names, retype).

import type { Naming } from './columns.js';
import type { RetypeRule } from './table-settings.js';

/** A table as exports name it. */
export interface SourceTable {
  readonly tableName: string;
  readonly tableArn: string;
}

export interface SourceSettings {
  /** Name of the lake table. */
  readonly table?: string;
  /** Names of the key attributes, partition key first. */
  readonly key?: readonly string[];
  readonly buckets?: number;
  readonly partition?: string;
  readonly naming?: Naming;
  readonly retype?: RetypeRule;
  readonly retypeBytesMax?: number;
}

export type SettingsOf = (source: SourceTable) => SourceSettings;

/** `given`, and what `settingsOf` says of the table where `given` says nothing. */
export function withSettings<T extends SourceSettings>(
  given: T & { readonly settingsOf?: SettingsOf },
  source: SourceTable,
): T {
  const configured = given.settingsOf?.(source);
  if (configured === undefined) return given;
  const { buckets, partition, ...others } = configured;
  const isLaidOut = given.buckets !== undefined || given.partition !== undefined;
  const layout = {
    ...(buckets === undefined ? {} : { buckets }),
    ...(partition === undefined ? {} : { partition }),
  };
  return { ...others, ...(isLaidOut ? {} : layout), ...given };
}
