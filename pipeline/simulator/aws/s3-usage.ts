// What AWS would bill for the simulated S3: requests by class, and bytes stored over time.
// Promises: every request that a service of the simulator or a client makes is counted once, by its answer; time is the
// simulator's, so a clock that is moved forward stores what is there for as long.
// Source: Amazon S3 User Guide, "Amazon S3 billing and usage reports"; Amazon S3 pricing, "Requests & data retrievals".

import type { Clock } from '../../ports.js';
import type { S3Operation } from './s3-request.js';

/** Usage since `sinceMs`. */
export interface S3Usage {
  /** PUT, COPY, POST and LIST requests. */
  readonly writes: number;
  /** GET and all other requests that are charged. */
  readonly reads: number;
  /** Bytes stored now, parts of unfinished uploads among them. */
  readonly storedBytes: number;
  readonly storedByteHours: number;
}

const freeOperations: readonly S3Operation[] = [
  'AbortMultipartUpload',
  'DeleteBucket',
  'DeleteObject',
  'DeleteObjects',
];

const writeOperations: readonly S3Operation[] = [
  'CompleteMultipartUpload',
  'CopyObject',
  'CreateBucket',
  'CreateMultipartUpload',
  'ListBuckets',
  'ListMultipartUploads',
  'ListObjects',
  'ListObjectsV2',
  'ListParts',
  'PutObject',
  'UploadPart',
  'UploadPartCopy',
];

export class S3UsageMeter {
  readonly #clock: Clock;
  readonly #storedBytes: () => number;
  #writes = 0;
  #reads = 0;
  #byteHours = 0;
  #bytes: number;
  #lastMs: number;

  constructor(clock: Clock, storedBytes: () => number) {
    this.#clock = clock;
    this.#storedBytes = storedBytes;
    this.#bytes = storedBytes();
    this.#lastMs = clock.nowMs();
  }

  /** Counts an answered request. What S3 could not answer costs nothing. */
  add(operation: S3Operation, status: number): void {
    this.#settle();
    if (status >= 500 || freeOperations.includes(operation)) return;
    if (writeOperations.includes(operation)) this.#writes += 1;
    else this.#reads += 1;
  }

  usage(): S3Usage {
    this.#settle();
    return {
      writes: this.#writes,
      reads: this.#reads,
      storedBytes: this.#bytes,
      storedByteHours: this.#byteHours,
    };
  }

  clear(): void {
    this.#settle();
    this.#writes = 0;
    this.#reads = 0;
    this.#byteHours = 0;
  }

  /** What was there since the last request was there until now. */
  #settle(): void {
    const nowMs = this.#clock.nowMs();
    this.#byteHours += (this.#bytes * (nowMs - this.#lastMs)) / 3_600_000;
    this.#lastMs = nowMs;
    this.#bytes = this.#storedBytes();
  }
}
