// What the simulated S3 holds: buckets, objects and unfinished uploads, in memory for answers and in documents for good.
// Promises: a change is in its document before it is in an answer; a reader gets the old object or the new one, whole;
// conditions are checked and objects published under one lock per key, so that of two exclusive writers one wins.
// Source: Amazon S3 User Guide, "Amazon S3 data consistency model", "Conditional writes".
import type { SimBodies } from './bodies.js';
import type { ChecksumAlgorithm } from './checksums.js';
import { KeyedLock } from './keyed-lock.js';
import { S3Error } from './s3-errors.js';
import type { SimDocuments } from './service.js';
import { SortedKeys } from './sorted-keys.js';

/** A checksum the client sent, in base64; of a multipart object with `-N` behind it when it is one of checksums. */
export interface StoredChecksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly value: string;
  readonly type: 'FULL_OBJECT' | 'COMPOSITE';
}

export interface BodyRef {
  readonly id: string;
  readonly size: number;
}

/** An object as it was published; never changed, only replaced. */
export interface StoredObject {
  readonly key: string;
  readonly size: number;
  /** Without quotes. */
  readonly etag: string;
  readonly modifiedMs: number;
  /** Headers that GET gives back: content type, user metadata, … */
  readonly headers: Readonly<Record<string, string>>;
  readonly checksum: StoredChecksum | null;
  /** The bytes, in order. */
  readonly bodies: readonly BodyRef[];
  /** The upload it was completed from, or null. */
  readonly uploadId: string | null;
}

export interface StoredUpload {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly startedMs: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly checksum: Pick<StoredChecksum, 'algorithm' | 'type'> | null;
}

export interface StoredPart {
  readonly number: number;
  readonly size: number;
  readonly etag: string;
  readonly modifiedMs: number;
  /** Base64, of the upload's algorithm. */
  readonly checksum: string | null;
  readonly body: BodyRef;
}

export interface Upload extends StoredUpload {
  readonly parts: Map<number, StoredPart>;
}

interface StoredBucket {
  readonly name: string;
  readonly createdMs: number;
  readonly region: string;
}

export interface Bucket extends StoredBucket {
  readonly objects: Map<string, StoredObject>;
  readonly keys: SortedKeys;
}

/** What must hold of the object that is there for a write to go on. Throws S3Error when it does not. */
export type WriteCheck = (current: StoredObject | null) => void;

export class S3State {
  readonly #documents: SimDocuments;
  readonly #bodies: SimBodies;
  readonly #buckets: Map<string, Bucket> = new Map();
  readonly #uploads: Map<string, Upload> = new Map();
  readonly #lock = new KeyedLock();
  /** Readers of each body, and bodies to free when the last of them leaves. */
  readonly #readers: Map<string, number> = new Map();
  readonly #doomed: Set<string> = new Set();
  #storedBytes = 0;

  private constructor(documents: SimDocuments, bodies: SimBodies) {
    this.#documents = documents;
    this.#bodies = bodies;
  }

  /** Reads everything, and tidies what a crash left: bodies without a name, uploads that were completed. */
  static async open(documents: SimDocuments, bodies: SimBodies): Promise<S3State> {
    const state = new S3State(documents, bodies);
    await state.#load();
    await state.#tidy();
    state.#storedBytes = state.#countBytes();
    return state;
  }

  get bodies(): SimBodies {
    return this.#bodies;
  }

  /** Bytes of all objects, and of the parts of unfinished uploads. */
  get storedBytes(): number {
    return this.#storedBytes;
  }

  /** All buckets, by name. */
  buckets(): readonly Bucket[] {
    return [...this.#buckets.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Throws NoSuchBucket. */
  bucket(name: string): Bucket {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) throw new S3Error('NoSuchBucket', { BucketName: name });
    return bucket;
  }

  /** Makes a bucket; false when it was there. */
  createBucket(bucket: StoredBucket): Promise<boolean> {
    return this.#lock.run(bucket.name, async () => {
      if (this.#buckets.has(bucket.name)) return false;
      await this.#documents.put(bucketName(bucket.name), bucket);
      this.#buckets.set(bucket.name, { ...bucket, objects: new Map(), keys: new SortedKeys() });
      return true;
    });
  }

  /** Removes an empty bucket with its unfinished uploads. Throws NoSuchBucket and BucketNotEmpty. */
  deleteBucket(name: string): Promise<void> {
    return this.#lock.run(name, async () => {
      if (this.bucket(name).objects.size > 0) {
        throw new S3Error('BucketNotEmpty', { BucketName: name });
      }
      // Gone at once, so that nothing is published in it meanwhile; a crash here leaves it, empty.
      this.#buckets.delete(name);
      for (const upload of this.uploads(name)) await this.removeUpload(upload);
      await this.#documents.remove(bucketName(name));
    });
  }

  object(bucket: string, key: string): StoredObject | null {
    return this.bucket(bucket).objects.get(key) ?? null;
  }

  /** Publishes an object if `check` lets it. The bodies of the one it replaces are freed. */
  publish(bucketOf: string, object: StoredObject, check: WriteCheck): Promise<void> {
    return this.#lock.run(`${bucketOf}/${object.key}`, async () => {
      const bucket = this.bucket(bucketOf);
      const before = bucket.objects.get(object.key) ?? null;
      check(before);
      await this.#documents.put(objectName(bucketOf, object.key), object);
      // Deleted meanwhile, since it was empty until now.
      if (this.#buckets.get(bucketOf) !== bucket) {
        await this.#documents.remove(objectName(bucketOf, object.key));
        throw new S3Error('NoSuchBucket', { BucketName: bucketOf });
      }
      bucket.objects.set(object.key, object);
      bucket.keys.add(object.key);
      this.#storedBytes += object.size - (before?.size ?? 0);
      await this.free(before?.bodies ?? []);
    });
  }

  /** Removes an object if `check` lets it; no error when it is not there. */
  remove(bucketOf: string, key: string, check: WriteCheck): Promise<void> {
    return this.#lock.run(`${bucketOf}/${key}`, async () => {
      const bucket = this.bucket(bucketOf);
      const before = bucket.objects.get(key) ?? null;
      check(before);
      if (before === null) return;
      await this.#documents.remove(objectName(bucketOf, key));
      bucket.objects.delete(key);
      bucket.keys.remove(key);
      this.#storedBytes -= before.size;
      await this.free(before.bodies);
    });
  }

  /** Unfinished uploads of a bucket, by key and id. */
  uploads(bucket: string): readonly Upload[] {
    return [...this.#uploads.values()].filter((upload) => upload.bucket === bucket);
  }

  /** Throws NoSuchUpload. */
  upload(bucket: string, key: string, id: string): Upload {
    const upload = this.#uploads.get(id);
    if (upload === undefined || upload.bucket !== bucket || upload.key !== key) {
      throw new S3Error('NoSuchUpload', { UploadId: id });
    }
    return upload;
  }

  async createUpload(upload: StoredUpload): Promise<void> {
    await this.#documents.put(uploadName(upload.id), upload);
    this.#uploads.set(upload.id, { ...upload, parts: new Map() });
  }

  /** Runs work on an upload alone: parts, completion and abort do not meet. */
  onUpload<T>(id: string, work: () => Promise<T>): Promise<T> {
    return this.#lock.run(`upload ${id}`, work);
  }

  /** Keeps a part, in place of an earlier one of its number. Throws NoSuchUpload when the upload is over meanwhile. */
  putPart(upload: Upload, part: StoredPart): Promise<void> {
    return this.onUpload(upload.id, async () => {
      this.upload(upload.bucket, upload.key, upload.id);
      const before = upload.parts.get(part.number);
      await this.#documents.put(partName(upload.id, part.number), part);
      upload.parts.set(part.number, part);
      this.#storedBytes += part.size - (before?.size ?? 0);
      if (before !== undefined) await this.free([before.body]);
    });
  }

  /** Ends an upload; the bodies of parts that `object` does not consist of are freed. */
  async removeUpload(upload: Upload, object: StoredObject | null = null): Promise<void> {
    const used = new Set(object?.bodies.map((body) => body.id) ?? []);
    if (this.#uploads.delete(upload.id)) {
      for (const { size } of upload.parts.values()) this.#storedBytes -= size;
    }
    await this.#documents.remove(uploadName(upload.id));
    for (const part of upload.parts.values()) {
      await this.#documents.remove(partName(upload.id, part.number));
      if (!used.has(part.body.id)) await this.free([part.body]);
    }
  }

  /**
   * The bytes [start, end) of some bodies laid end to end. They stay readable until the iterator has ended or was
   * returned, whatever happens to the object.
   */
  open(bodies: readonly BodyRef[], start: number, end: number): AsyncIterableIterator<Uint8Array> {
    for (const { id } of bodies) this.#readers.set(id, (this.#readers.get(id) ?? 0) + 1);
    const pieces = this.#pieces(bodies, start, end);
    let isOpen = true;
    const release = async (): Promise<void> => {
      if (!isOpen) return;
      isOpen = false;
      for (const body of bodies) await this.#leave(body);
    };
    // Not a plain generator: one that was never begun would not run its `finally`.
    const iterator: AsyncIterableIterator<Uint8Array> = {
      [Symbol.asyncIterator]: () => iterator,
      next: async () => {
        try {
          const next = await pieces.next();
          if (next.done === true) await release();
          return next;
        } catch (error) {
          await release();
          throw error;
        }
      },
      return: async () => {
        await pieces.return(undefined);
        await release();
        return { done: true, value: undefined };
      },
    };
    return iterator;
  }

  async *#pieces(
    bodies: readonly BodyRef[],
    start: number,
    end: number,
  ): AsyncGenerator<Uint8Array> {
    let offset = 0;
    for (const { id, size } of bodies) {
      const from = Math.max(start - offset, 0);
      const to = Math.min(end - offset, size);
      if (from < to) yield* this.#bodies.read(id, from, to);
      offset += size;
    }
  }

  async #leave(body: BodyRef): Promise<void> {
    const readers = this.#readers.get(body.id)! - 1;
    if (readers > 0) {
      this.#readers.set(body.id, readers);
      return;
    }
    this.#readers.delete(body.id);
    if (this.#doomed.delete(body.id)) await this.#bodies.remove(body.id);
  }

  /** Frees bodies that no object names any more, each when its last reader has left. */
  async free(bodies: readonly BodyRef[]): Promise<void> {
    for (const { id } of bodies) {
      if (this.#readers.has(id)) this.#doomed.add(id);
      else await this.#bodies.remove(id);
    }
  }

  async #load(): Promise<void> {
    for (const bucket of await this.#values<StoredBucket>(bucketPrefix)) {
      this.#buckets.set(bucket.name, { ...bucket, objects: new Map(), keys: new SortedKeys() });
    }
    for (const [name, bucket] of this.#buckets) {
      const objects = await this.#values<StoredObject>(`${objectPrefix}${name}/`);
      for (const object of objects) bucket.objects.set(object.key, object);
      this.#buckets.set(name, { ...bucket, keys: new SortedKeys(bucket.objects.keys()) });
    }
    for (const upload of await this.#values<StoredUpload>(uploadPrefix)) {
      const parts = await this.#values<StoredPart>(`${partPrefix}${upload.id}/`);
      this.#uploads.set(upload.id, {
        ...upload,
        parts: new Map(parts.map((part) => [part.number, part])),
      });
    }
  }

  #countBytes(): number {
    let bytes = 0;
    for (const { objects } of this.#buckets.values()) {
      for (const { size } of objects.values()) bytes += size;
    }
    for (const { parts } of this.#uploads.values()) {
      for (const { size } of parts.values()) bytes += size;
    }
    return bytes;
  }

  async #values<T>(prefix: string): Promise<readonly T[]> {
    const values: T[] = [];
    for (const name of await this.#documents.names(prefix)) {
      values.push((await this.#documents.get(name)) as T);
    }
    return values;
  }

  async #tidy(): Promise<void> {
    const bodies = new Set(await this.#bodies.ids());
    for (const upload of [...this.#uploads.values()]) {
      const object = this.#buckets.get(upload.bucket)?.objects.get(upload.key);
      const isCompleted =
        object?.uploadId === upload.id ||
        [...upload.parts.values()].some((part) => !bodies.has(part.body.id));
      if (isCompleted || !this.#buckets.has(upload.bucket)) {
        await this.removeUpload(upload, object ?? null);
      }
    }
    for (const name of await this.#documents.names(partPrefix)) {
      if (!this.#uploads.has(secondOf(name, partPrefix))) await this.#documents.remove(name);
    }
    for (const name of await this.#documents.names(objectPrefix)) {
      if (!this.#buckets.has(secondOf(name, objectPrefix))) await this.#documents.remove(name);
    }
    const named = new Set<string>();
    for (const { objects } of this.#buckets.values()) {
      for (const object of objects.values()) for (const { id } of object.bodies) named.add(id);
    }
    for (const { parts } of this.#uploads.values()) {
      for (const part of parts.values()) named.add(part.body.id);
    }
    for (const id of bodies) if (!named.has(id)) await this.#bodies.remove(id);
  }
}

/** The part of a document's name between the prefix and the next slash. */
function secondOf(name: string, prefix: string): string {
  return name.slice(prefix.length).split('/', 1)[0]!;
}

const bucketPrefix = 's3/bucket/';
const objectPrefix = 's3/object/';
const uploadPrefix = 's3/upload/';
const partPrefix = 's3/part/';
const bucketName = (bucket: string): string => `${bucketPrefix}${bucket}`;
const objectName = (bucket: string, key: string): string => `${objectPrefix}${bucket}/${key}`;
const uploadName = (id: string): string => `${uploadPrefix}${id}`;
const partName = (id: string, number: number): string => `${partPrefix}${id}/${number}`;
