// The simulator's ports in memory, with a count of changes and a crash after a chosen one.
// Promises: what was changed before the crash stays, what comes after has no effect; `restart` is a new process on the same state.
// Source: pipeline/simulator/aws/service.ts (SimDocuments), pipeline/simulator/aws/bodies.ts (SimBodies).
import type { SimBodies, SimBodyWriter } from '../../../pipeline/simulator/aws/bodies.js';
import type { SimDocuments } from '../../../pipeline/simulator/aws/service.js';

export class Crash extends Error {}

export class MemoryPorts {
  readonly documents: Map<string, string> = new Map();
  readonly bodies: Map<string, Buffer> = new Map();
  /** Changes asked for so far. */
  changes = 0;
  #crashAfter = Number.POSITIVE_INFINITY;
  #bodyCount = 0;

  /** The change after this many fails, and all later ones. */
  crashAfter(changes: number): void {
    this.#crashAfter = changes;
  }

  restart(): void {
    this.#crashAfter = Number.POSITIVE_INFINITY;
  }

  #change(): void {
    this.changes += 1;
    if (this.changes > this.#crashAfter) throw new Crash(`crashed at change ${this.changes}`);
  }

  readonly simDocuments: SimDocuments = {
    get: async (name) => {
      const text = this.documents.get(name);
      return text === undefined ? null : (JSON.parse(text) as unknown);
    },
    put: async (name, value) => {
      this.#change();
      this.documents.set(name, JSON.stringify(value));
    },
    remove: async (name) => {
      this.#change();
      this.documents.delete(name);
    },
    names: async (prefix) =>
      [...this.documents.keys()].filter((name) => name.startsWith(prefix)).sort(),
  };

  readonly simBodies: SimBodies = {
    create: async () => {
      this.#change();
      this.#bodyCount += 1;
      const id = `body-${this.#bodyCount}`;
      const pieces: Uint8Array[] = [];
      const keep = (): void => void this.bodies.set(id, Buffer.concat(pieces));
      keep();
      const writer: SimBodyWriter = {
        id,
        write: async (bytes) => {
          this.#change();
          pieces.push(bytes.slice());
          keep();
        },
        close: async () => this.#change(),
        abort: async () => {
          this.#change();
          this.bodies.delete(id);
        },
      };
      return writer;
    },
    read: (id, start, end) => this.#read(id, start, end),
    remove: async (id) => {
      this.#change();
      this.bodies.delete(id);
    },
    ids: async () => [...this.bodies.keys()],
  };

  async *#read(id: string, start: number, end: number): AsyncGenerator<Uint8Array> {
    const body = this.bodies.get(id);
    if (body === undefined || body.length < end)
      throw new Error(`no bytes ${start}-${end} of ${id}`);
    yield body.subarray(start, end);
  }
}
