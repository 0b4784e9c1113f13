// Encode unit: the segments of one key range become sorted row groups of the table's columns.

import type { TableColumns } from '../../schemas/columns.js';
import { refuse } from '../../schemas/errors.js';
import { adaptRows } from '../../transforms/adapt-rows.js';
import { BytesColumn } from '../../transforms/columns.js';
import { sortInKernel } from '../../transforms/kernel/gather-rows.js';
import { isForKernel, useKernel } from '../../transforms/kernel/idle-kernel.js';
import type { KernelExports } from '../../transforms/kernel/kernel.js';
import { Rows } from '../../transforms/make-columns.js';
import { unpackRows } from '../../transforms/pack-rows.js';
import { compareKeys, sortedOrder } from '../../transforms/sort-keys.js';
import { openZstd } from '../lake/parquet/zstd.js';
import type { Scratch } from '../ports.js';
import { encodeRows, groupBuffers, type RowGroup } from './row-groups.js';
import { readSegment, type Segment } from './segments.js';
import type { UnitContext, UnitResult } from './unit.js';

export interface EncodeInput {
  readonly segments: readonly Segment[];
  readonly table: TableColumns;
  readonly groupRowsMax: number;
}

export interface EncodeOutput {
  readonly groups: readonly RowGroup[];
  readonly rows: number;
}

/** The rows of segments in the table's columns, sorted by key. Refuses a key that stands twice. */
export async function sortedSegments(
  segments: readonly Segment[],
  table: TableColumns,
  scratch: Scratch,
): Promise<Rows> {
  const parts = await adaptedSegments(segments, table, scratch);
  if (!isForKernel(parts)) return sortedRows(parts, table);
  return useKernel((kernel) => unpackRows(table.columns, sortedBytes(kernel, parts).slice()));
}

async function adaptedSegments(
  segments: readonly Segment[],
  table: TableColumns,
  scratch: Scratch,
): Promise<Rows[]> {
  const parts: Rows[] = [];
  for (const segment of segments) {
    parts.push(adaptRows(await readSegment(segment, scratch), table.columns, table.key));
  }
  return parts;
}

function rowCountOf(parts: readonly Rows[]): number {
  let total = 0;
  for (const { n } of parts) total += n;
  return total;
}

/** All rows of several parts in the order of their keys, packed, in the kernel's memory. */
function sortedBytes(kernel: KernelExports, parts: readonly Rows[]): Uint8Array {
  const bytes = sortInKernel(kernel, parts);
  if (bytes === null) throw sameKeyTwice();
  return bytes;
}

function sameKeyTwice(): Error {
  return refuse(
    'REFUSED_KEY',
    'the same key stands twice in one export',
    'an export has one record per key, or --key names the wrong attributes; nothing was written',
    'check --key, or ask for the export again',
  );
}

/** All rows of several parts, in the order of their keys. */
function sortedRows(parts: readonly Rows[], table: TableColumns): Rows {
  const keys = new BytesColumn();
  const total = rowCountOf(parts);
  const partOf = new Uint32Array(total);
  const rowOf = new Int32Array(total);
  let at = 0;
  parts.forEach((part, i) => {
    keys.appendRange(part.keys, 0, part.n);
    for (let row = 0; row < part.n; row++) {
      partOf[at] = i;
      rowOf[at++] = row;
    }
  });
  const order = sortedOrder(keys);
  const orderedParts = new Uint32Array(total);
  const orderedRows = new Int32Array(total);
  for (let i = 0; i < total; i++) {
    orderedParts[i] = partOf[order[i]!]!;
    orderedRows[i] = rowOf[order[i]!]!;
  }
  const sorted = new Rows(table.columns);
  sorted.takeFrom(parts, orderedParts, orderedRows);
  for (let row = 1; row < sorted.n; row++) {
    if (compareKeys(sorted.keys, row - 1, sorted.keys, row) === 0) throw sameKeyTwice();
  }
  return sorted;
}

/** Segments of one range -> row groups. */
export async function encodeUnit(
  input: EncodeInput,
  context: UnitContext,
): Promise<UnitResult<EncodeOutput>> {
  const { table } = input;
  const parts = await adaptedSegments(input.segments, table, context.scratch);
  const rows = rowCountOf(parts);
  const compress = await openZstd();
  const most = input.groupRowsMax;
  const groups = isForKernel(parts)
    ? useKernel((kernel) => {
        const sorted = unpackRows(table.columns, sortedBytes(kernel, parts));
        return encodeRows(compress, sorted, table, most, kernel);
      })
    : encodeRows(compress, sortedRows(parts, table), table, most);
  return { output: { groups, rows }, transfer: groupBuffers(groups) };
}
