// Where a row belongs: its partition by the key's attributes, and its range among the partition's splitting keys.

import type { KeyAttribute } from '../../schemas/attribute.js';
import type { ColumnType } from '../../schemas/columns.js';
import type { PartitionValue } from '../../schemas/iceberg.js';
import type { BytesColumn, Column } from '../../transforms/columns.js';
import {
  classify,
  fitTable,
  numberTypeText,
  parseDecimal,
  toUnscaled,
} from '../../transforms/decimals.js';
import type { Rows } from '../../transforms/make-columns.js';
import { numberAt } from '../../transforms/render-json.js';
import { compareKey } from '../../transforms/sort-keys.js';
import { bucketOf, parseTransform, transformValue } from '../lake/iceberg/transforms.js';
import { partitionText } from './segments.js';

/** A partition field over a key attribute. */
export interface RoutingField {
  readonly transform: string;
  /** Position of the attribute in the key. */
  readonly keyIndex: number;
  /** The key column's type in the table (not the scan's). */
  readonly type: ColumnType;
}

/** How rows are cut. Plain data. */
export interface Routing {
  readonly fields: readonly RoutingField[];
  /** Splitting keys by partition (see partitionText): range i holds keys up to and with splitters[i]; the last holds the rest. */
  readonly splitters: ReadonlyMap<string, readonly Uint8Array[]>;
  /** For partitions not named there: range i holds keys up to and with these. */
  readonly defaultSplitters: readonly Uint8Array[];
}

/** The value that Iceberg's transforms take for one row of a key column, as scanned (numbers as text) or as it stands
 *  in the table. A number that the type does not hold has none: its column will get another type, and be cut anew. */
function keyValue(
  tag: KeyAttribute['tag'],
  type: ColumnType,
  column: Column,
  row: number,
): PartitionValue {
  if (tag === 'N') return numberValue(type, column, row);
  const { data, offsets } = column as BytesColumn;
  const start = offsets[row]!;
  const bytes = Buffer.from(data.buffer, data.byteOffset + start, offsets[row + 1]! - start);
  return tag === 'B' ? bytes : bytes.toString('utf8');
}

function numberValue(type: ColumnType, column: Column, row: number): PartitionValue {
  if (type.kind !== 'N') return null;
  const text = numberAt(type.number, column, row);
  if (type.number.type === 'text') return text;
  const value = parseDecimal(text)!;
  if (fitTable(type.number)[classify(value).class] === 0) return null;
  return toUnscaled(value, type.number.type === 'decimal' ? type.number.scale : 0);
}

function icebergName(type: ColumnType): string {
  if (type.kind === 'N') return numberTypeText(type.number);
  return type.kind === 'B' ? 'binary' : 'string';
}

/** Rows grouped by destination: `order` lists rows, destination after destination. */
export interface Routed {
  readonly order: Int32Array;
  readonly parts: readonly {
    readonly partition: readonly PartitionValue[];
    readonly range: number;
    readonly start: number;
    readonly end: number;
  }[];
}

interface Partition {
  readonly values: readonly PartitionValue[];
  readonly splitters: readonly Uint8Array[];
  /** First destination number of the partition. */
  readonly first: number;
}

/** Groups scanned rows by partition and range. */
export function routeRows(rows: Rows, key: readonly KeyAttribute[], routing: Routing): Routed {
  const n = rows.n;
  const destinations = new Int32Array(n);
  const partitions: Partition[] = [];
  const byText = new Map<string | number, Partition>();
  const find = (id: string | number, values: readonly PartitionValue[]): Partition => {
    let partition = byText.get(id);
    if (partition === undefined) {
      const splitters = routing.splitters.get(partitionText(values)) ?? routing.defaultSplitters;
      const last = partitions.at(-1);
      const first = last === undefined ? 0 : last.first + last.splitters.length + 1;
      partition = { values, splitters, first };
      partitions.push(partition);
      byText.set(id, partition);
    }
    return partition;
  };
  const partitionOf = partitioner(rows, key, routing, find);
  for (let row = 0; row < n; row++) {
    const partition = partitionOf(row);
    destinations[row] = partition.first + rangeOf(rows.keys, row, partition.splitters);
  }
  return group(destinations, partitions);
}

type Finder = (id: string | number, values: readonly PartitionValue[]) => Partition;

function partitioner(
  rows: Rows,
  key: readonly KeyAttribute[],
  routing: Routing,
  find: Finder,
): (row: number) => Partition {
  const [only] = routing.fields;
  if (only === undefined) {
    const all = rows.n === 0 ? null : find('', []);
    return () => all!;
  }
  const keyColumns = keyTexts(rows, key);
  const bucket = routing.fields.length === 1 ? parseTransform(only.transform) : null;
  if (bucket?.kind === 'bucket' && key[only.keyIndex]!.tag !== 'N') {
    // The usual case, hashed in place.
    const column = keyColumns[only.keyIndex]!;
    return (row) => {
      const value = bucketOf(
        column.data,
        bucket.width,
        column.offsets[row]!,
        column.offsets[row + 1]!,
      );
      return find(value, [value]);
    };
  }
  return (row) => {
    const values = routing.fields.map((field) => {
      const tag = key[field.keyIndex]!.tag;
      const value = keyValue(tag, field.type, keyColumns[field.keyIndex]!, row);
      return transformValue(field.transform, icebergName(field.type), value);
    });
    return find(partitionText(values), values);
  };
}

/** The key's columns as scanned; rows that only delete have none there, so their keys are taken apart instead. */
function keyTexts(rows: Rows, key: readonly KeyAttribute[]): BytesColumn[] {
  return key.map((_, i) => rows.columns[i] as BytesColumn);
}

function rangeOf(keys: BytesColumn, row: number, splitters: readonly Uint8Array[]): number {
  let low = 0;
  let high = splitters.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKey(keys, row, splitters[middle]!) > 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function group(destinations: Int32Array, partitions: readonly Partition[]): Routed {
  const last = partitions.at(-1);
  const total = last === undefined ? 0 : last.first + last.splitters.length + 1;
  const starts = new Int32Array(total + 1);
  for (const d of destinations) starts[d + 1]!++;
  for (let d = 0; d < total; d++) starts[d + 1]! += starts[d]!;
  const parts: Routed['parts'][number][] = [];
  for (const partition of partitions) {
    for (let range = 0; range <= partition.splitters.length; range++) {
      const start = starts[partition.first + range]!;
      const end = starts[partition.first + range + 1]!;
      if (end > start) parts.push({ partition: partition.values, range, start, end });
    }
  }
  const next = starts.slice();
  const order = new Int32Array(destinations.length);
  for (let row = 0; row < destinations.length; row++) order[next[destinations[row]!]!++] = row;
  return { order, parts };
}
