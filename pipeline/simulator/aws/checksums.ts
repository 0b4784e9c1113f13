// The checksums S3 knows: MD5 for ETags, and CRC32, CRC32C, CRC64NVME, SHA1 and SHA256 that a client may send along.
// Promises: values as S3 writes them, base64 of the big-endian bytes.
// Source: Amazon S3 User Guide, "Checking object integrity"; RFC 3720 B.4 (CRC32C); NVM Express NVM Command Set 1.0, 5.2.1.3.4 (CRC64NVME).
import { createHash, type Hash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** Names as they stand in `x-amz-checksum-algorithm`. */
export const checksumAlgorithms = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const;
export type ChecksumAlgorithm = (typeof checksumAlgorithms)[number];

/** A digest that is fed in pieces. */
export interface Checksum {
  update(bytes: Uint8Array): void;
  /** The digest's bytes, most significant first. Asked for once, at the end. */
  digest(): Buffer;
}

/** A new checksum of that kind. */
export function createChecksum(algorithm: ChecksumAlgorithm | 'MD5'): Checksum {
  switch (algorithm) {
    case 'CRC32':
      return new Crc32();
    case 'CRC32C':
      return new Crc32C();
    case 'CRC64NVME':
      return new Crc64Nvme();
    default:
      return new NodeHash(createHash(algorithm.toLowerCase()));
  }
}

/** Length of a digest in bytes. */
export const digestBytes: Readonly<Record<ChecksumAlgorithm, number>> = {
  CRC32: 4,
  CRC32C: 4,
  CRC64NVME: 8,
  SHA1: 20,
  SHA256: 32,
};

class NodeHash implements Checksum {
  readonly #hash: Hash;
  constructor(hash: Hash) {
    this.#hash = hash;
  }
  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }
  digest(): Buffer {
    return this.#hash.digest();
  }
}

class Crc32 implements Checksum {
  #crc = 0;
  update(bytes: Uint8Array): void {
    this.#crc = crc32(bytes, this.#crc);
  }
  digest(): Buffer {
    return bigEndian(this.#crc);
  }
}

/** Castagnoli's polynomial, bits reversed. */
const crc32cTable: Uint32Array = Uint32Array.from({ length: 256 }, (_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc >>> 0;
});

class Crc32C implements Checksum {
  #crc = 0xffffffff;
  update(bytes: Uint8Array): void {
    let crc = this.#crc;
    for (let i = 0; i < bytes.length; i++) {
      crc = crc32cTable[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
    }
    this.#crc = crc;
  }
  digest(): Buffer {
    return bigEndian((this.#crc ^ 0xffffffff) >>> 0);
  }
}

/** The polynomial 0x9a6c9329ac4bc9b5 (bits reversed) in two halves, since JavaScript's integers have 32 bits. */
const crc64High = new Uint32Array(256);
const crc64Low = new Uint32Array(256);
for (let index = 0; index < 256; index++) {
  let high = 0;
  let low = index;
  for (let bit = 0; bit < 8; bit++) {
    const isOdd = low & 1;
    low = (low >>> 1) | (high << 31);
    high >>>= 1;
    if (isOdd) {
      high ^= 0x9a6c9329;
      low ^= 0xac4bc9b5;
    }
  }
  crc64High[index] = high;
  crc64Low[index] = low;
}

class Crc64Nvme implements Checksum {
  #high = 0xffffffff;
  #low = 0xffffffff;
  update(bytes: Uint8Array): void {
    let high = this.#high;
    let low = this.#low;
    for (let i = 0; i < bytes.length; i++) {
      const at = (low ^ bytes[i]!) & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ crc64Low[at]!;
      high = (high >>> 8) ^ crc64High[at]!;
    }
    this.#high = high;
    this.#low = low;
  }
  digest(): Buffer {
    return Buffer.concat([bigEndian(~this.#high >>> 0), bigEndian(~this.#low >>> 0)]);
  }
}

function bigEndian(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
