// Consumed capacity: what each request would cost, counted by table and operation, and told to who asks.
// Promises: every read and write of items is counted, so that a job can be proved to have caused none. Exports cost none.
// Source: Amazon DynamoDB Developer Guide, "DynamoDB read and write operations".

import { type Json, wordIn } from './dynamodb-call.js';

const readBytesUnit = 4096;
const writeBytesUnit = 1024;

/** Read units of so many bytes read together: half of them when the read may be stale. */
export function readUnits(bytes: number, isConsistent: boolean): number {
  return Math.max(1, Math.ceil(bytes / readBytesUnit)) * (isConsistent ? 1 : 0.5);
}

/** Write units of a write: the larger of the item before and after counts. */
export function writeUnits(bytesBefore: number, bytesAfter: number): number {
  return Math.max(1, Math.ceil(Math.max(bytesBefore, bytesAfter) / writeBytesUnit));
}

/** Units and requests of one table, or of all. */
export interface ConsumedCapacity {
  readonly readUnits: number;
  readonly writeUnits: number;
  /** Requests by operation, those that failed a condition among them. */
  readonly requests: Readonly<Record<string, number>>;
}

interface Counts {
  readUnits: number;
  writeUnits: number;
  requests: Record<string, number>;
}

const none = (): Counts => ({ readUnits: 0, writeUnits: 0, requests: {} });

/** Counts since the simulator was started, or since `clear`. */
export class CapacityMeter {
  #tables = new Map<string, Counts>();

  add(table: string, operation: string, units: { read?: number; write?: number }): void {
    const counts = this.#tables.get(table) ?? none();
    this.#tables.set(table, counts);
    counts.readUnits += units.read ?? 0;
    counts.writeUnits += units.write ?? 0;
    counts.requests[operation] = (counts.requests[operation] ?? 0) + 1;
  }

  /** By name of table, those that were deleted since among them. */
  tables(): Readonly<Record<string, ConsumedCapacity>> {
    return structuredClone(Object.fromEntries(this.#tables));
  }

  total(): ConsumedCapacity {
    const total = none();
    for (const counts of this.#tables.values()) {
      total.readUnits += counts.readUnits;
      total.writeUnits += counts.writeUnits;
      for (const [operation, count] of Object.entries(counts.requests)) {
        total.requests[operation] = (total.requests[operation] ?? 0) + count;
      }
    }
    return total;
  }

  clear(): void {
    this.#tables = new Map();
  }
}

/** The answer's ConsumedCapacity of one table, if it was asked for. */
export function consumedCapacity(input: Json, table: string, units: number): Json | null {
  const asked = wordIn(input, 'ReturnConsumedCapacity', ['INDEXES', 'TOTAL', 'NONE']) ?? 'NONE';
  if (asked === 'NONE') return null;
  const own = asked === 'INDEXES' ? { Table: { CapacityUnits: units } } : {};
  return { TableName: table, CapacityUnits: units, ...own };
}
