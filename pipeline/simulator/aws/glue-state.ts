// What the simulated Glue keeps: databases, tables and their archived versions, a document each.
// Promises: a change of one table is one document put, so a killed simulator has it whole or not at all; changes within a
// database follow one another.
// Source: service.ts, SimDocuments.

import { type Json, notFound } from './glue-call.js';
import { KeyedLock } from './keyed-lock.js';
import type { SimDocuments } from './service.js';

/** A catalog and a database of it. */
export interface DatabasePlace {
  readonly catalogId: string;
  readonly database: string;
}

export interface StoredDatabase {
  readonly input: Json;
  readonly createTimeMs: number;
}

/** A table at one version. */
export interface StoredTable {
  readonly input: Json;
  readonly version: number;
  readonly createTimeMs: number;
  readonly updateTimeMs: number;
}

export class GlueState {
  readonly #documents: SimDocuments;
  readonly #lock: KeyedLock = new KeyedLock();

  constructor(documents: SimDocuments) {
    this.#documents = documents;
  }

  /** Runs a change of a database or of what is in it after those that were begun before. */
  changing<T>(place: DatabasePlace, work: () => Promise<T>): Promise<T> {
    return this.#lock.run(databaseName(place), work);
  }

  async databases(catalogId: string): Promise<readonly string[]> {
    return this.#namesBelow(`glue/${part(catalogId)}/databases/`);
  }

  async database(place: DatabasePlace): Promise<StoredDatabase | null> {
    return (await this.#documents.get(databaseName(place))) as StoredDatabase | null;
  }

  /** Throws EntityNotFoundException. */
  async existingDatabase(place: DatabasePlace): Promise<StoredDatabase> {
    const found = await this.database(place);
    if (found === null) throw notFound(`Database ${place.database} not found.`);
    return found;
  }

  async putDatabase(place: DatabasePlace, database: StoredDatabase): Promise<void> {
    await this.#documents.put(databaseName(place), database);
  }

  /** Removes a database and all that is in it. */
  async removeDatabase(place: DatabasePlace): Promise<void> {
    for (const table of await this.tables(place)) await this.removeTable(place, table);
    await this.#documents.remove(databaseName(place));
  }

  async tables(place: DatabasePlace): Promise<readonly string[]> {
    return this.#namesBelow(tablesPrefix(place));
  }

  async table(place: DatabasePlace, table: string): Promise<StoredTable | null> {
    return (await this.#documents.get(tableName(place, table))) as StoredTable | null;
  }

  /** Throws EntityNotFoundException for a missing database or table. */
  async existingTable(place: DatabasePlace, table: string): Promise<StoredTable> {
    await this.existingDatabase(place);
    const found = await this.table(place, table);
    if (found === null) throw notFound(`Table ${table} not found.`);
    return found;
  }

  async putTable(place: DatabasePlace, table: string, stored: StoredTable): Promise<void> {
    await this.#documents.put(tableName(place, table), stored);
  }

  async removeTable(place: DatabasePlace, table: string): Promise<void> {
    // Versions first: left behind, they would be those of the next table of this name.
    for (const name of await this.#documents.names(versionsPrefix(place, table))) {
      await this.#documents.remove(name);
    }
    await this.#documents.remove(tableName(place, table));
  }

  /** Versions that were archived, ascending. */
  async archived(place: DatabasePlace, table: string): Promise<readonly number[]> {
    return (await this.#namesBelow(versionsPrefix(place, table))).map(Number);
  }

  async version(place: DatabasePlace, table: string, version: number): Promise<StoredTable | null> {
    const found = await this.#documents.get(versionName(place, table, version));
    return found as StoredTable | null;
  }

  async archive(place: DatabasePlace, table: string, stored: StoredTable): Promise<void> {
    await this.#documents.put(versionName(place, table, stored.version), stored);
  }

  async removeVersion(place: DatabasePlace, table: string, version: number): Promise<void> {
    await this.#documents.remove(versionName(place, table, version));
  }

  /** Last parts of the names of documents below a prefix, sorted. */
  async #namesBelow(prefix: string): Promise<readonly string[]> {
    const names = await this.#documents.names(prefix);
    return names.map((name) => decodeURIComponent(name.slice(prefix.length))).sort();
  }
}

/** A part of a document's name: Glue's names may have slashes. */
function part(name: string): string {
  return encodeURIComponent(name);
}

function databaseName({ catalogId, database }: DatabasePlace): string {
  return `glue/${part(catalogId)}/databases/${part(database)}`;
}

function tablesPrefix({ catalogId, database }: DatabasePlace): string {
  return `glue/${part(catalogId)}/tables/${part(database)}/`;
}

function tableName(place: DatabasePlace, table: string): string {
  return `${tablesPrefix(place)}${part(table)}`;
}

function versionsPrefix({ catalogId, database }: DatabasePlace, table: string): string {
  return `glue/${part(catalogId)}/versions/${part(database)}/${part(table)}/`;
}

function versionName(place: DatabasePlace, table: string, version: number): string {
  return `${versionsPrefix(place, table)}${String(version).padStart(12, '0')}`;
}
