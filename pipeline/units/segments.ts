// A segment: rows of one partition and key range, packed, in memory or in scratch space. What scan units give and
// encode and merge units take.

import type { PartitionValue } from '../../schemas/iceberg.js';
import type { Rows, TypedAttribute } from '../../transforms/make-columns.js';
import { unpackRows } from '../../transforms/pack-rows.js';
import type { Scratch, ScratchRef } from '../ports.js';

/** Packed rows. Plain data, travels between threads. */
export interface Segment {
  /** One value per field of the partition spec. */
  readonly partition: readonly PartitionValue[];
  /** Which key range of the partition (see Routing). */
  readonly range: number;
  readonly rowCount: number;
  readonly types: readonly TypedAttribute[];
  /** Where the packed bytes are: here, or in scratch space. */
  readonly bytes: Uint8Array | null;
  readonly ref: ScratchRef | null;
}

/** The rows of a segment; read-only. */
export async function readSegment(segment: Segment, scratch: Scratch): Promise<Rows> {
  const bytes = segment.bytes ?? (await scratch.read(segment.ref!));
  return unpackRows(segment.types, bytes);
}

/** Buffers of segments that may be moved to another thread. */
export function buffersOf(segments: readonly Segment[]): ArrayBuffer[] {
  const buffers: ArrayBuffer[] = [];
  for (const { bytes } of segments) if (bytes !== null) buffers.push(bytes.buffer as ArrayBuffer);
  return buffers;
}

/** A text that stands for partition values. */
export function partitionText(partition: readonly PartitionValue[]): string {
  return JSON.stringify(
    partition.map((value) => {
      if (typeof value === 'bigint') return `n${value}`;
      if (value instanceof Uint8Array) return `b${Buffer.from(value).toString('hex')}`;
      return value;
    }),
  );
}
