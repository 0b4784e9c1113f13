// Where the simulated S3 keeps the bytes of objects: immutable bodies under random ids, made whole before anybody names them.
// Promises: a body never changes; an object is a document that names its bodies, so putting the document is what publishes it.
// Source: none; the store itself is pipeline/local/disk-bodies.ts.

/** A port: a place for bodies. */
export interface SimBodies {
  /** Opens a new body. Until `close` has returned it may vanish with the process. */
  create(): Promise<SimBodyWriter>;
  /** The bytes [start, end) of a body, in pieces of bounded size. */
  read(id: string, start: number, end: number): AsyncIterable<Uint8Array>;
  /** Frees a body; no error when it is not there. */
  remove(id: string): Promise<void>;
  /** Ids of all bodies, those that nobody named before a crash among them. */
  ids(): Promise<readonly string[]>;
}

export interface SimBodyWriter {
  readonly id: string;
  /** Takes the bytes over: the caller no longer changes them. */
  write(bytes: Uint8Array): Promise<void>;
  /** Makes the body durable. */
  close(): Promise<void>;
  /** Drops the body; safe after an error. */
  abort(): Promise<void>;
}
