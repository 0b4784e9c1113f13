// Random ids: true ones, and seeded ones with which a run can be replayed.
// Promises: UUIDs are version 4 in lower case; snapshot ids are positive and below 2^53.
// Source: ports.ts, Ids; RFC 9562, section 5.4 (UUID version 4).
import { createHash, randomBytes } from 'node:crypto';
import type { Ids } from '../ports.js';

/** Ids nobody can guess. */
export class RandomIds implements Ids {
  uuid(): string {
    return uuidOf(randomBytes(16));
  }

  snapshotId(): bigint {
    return snapshotIdOf(randomBytes(8));
  }
}

/** The same ids again for the same seed: for tests, never for a lake that others write too. */
export class SeededIds implements Ids {
  readonly #seed: string;
  #count = 0;

  constructor(seed: number | string) {
    this.#seed = String(seed);
  }

  uuid(): string {
    return uuidOf(this.#next().subarray(0, 16));
  }

  snapshotId(): bigint {
    return snapshotIdOf(this.#next());
  }

  #next(): Buffer {
    this.#count += 1;
    return createHash('sha256').update(`${this.#seed}/${this.#count}`).digest();
  }
}

function uuidOf(bytes: Buffer): string {
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20, 32),
  ].join('-');
}

function snapshotIdOf(bytes: Buffer): bigint {
  const id = BigInt.asUintN(53, bytes.readBigUInt64LE(0));
  return id === 0n ? 1n : id;
}
