// The catalog in AWS Glue: a table's pointer is the parameter metadata_location, moved by UpdateTable under Glue's
// optimistic lock (VersionId). Promises: of two commits on one base exactly one wins; a lost answer is found out by
// reading, never by guessing; whatever else stands in the Glue table stays. Tables that are not Iceberg, or lie outside
// this lake's folder, are not listed and not touched.
// Source: AWS Glue Web API Reference, UpdateTable (VersionId, SkipArchive); Amazon Athena User Guide, "Query Apache Iceberg
// tables" (Athena takes Glue's optimistic locking only); ports.ts, Catalog.

import type { Table } from '@aws-sdk/client-glue';
import { refuse } from '../../schemas/errors.js';
import { checkedCatalogName, isCatalogName } from '../lake/catalog-name.js';
import { removeFiles } from '../lake/file-removal.js';
import { parseTableMetadata } from '../lake/iceberg/metadata.js';
import { normalUri } from '../lake/iceberg/paths.js';
import { refuseOtherCatalog } from '../lake/other-catalog.js';
import type { Catalog, CatalogEntry, Clock, CommitOutcome, Ids, ObjectStore } from '../ports.js';
import type { AwsClients } from './clients.js';
import { GlueCommit } from './glue-commit.js';
import { GlueRequests } from './glue-requests.js';

export interface GlueCatalogOptions {
  readonly clients: Pick<AwsClients, 'glue' | 'glueOnce'>;
  /** Where the metadata files are. */
  readonly store: ObjectStore;
  /** Root folder of the lake. */
  readonly lakeUri: string;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly ids: Pick<Ids, 'uuid'>;
  /** Version of Tidelake, for tables it makes. */
  readonly version?: string;
}

/** The tables of Glue that lie in a lake: `<lake>/<database>/<table>`. */
export class GlueCatalog implements Catalog {
  readonly #options: GlueCatalogOptions;
  readonly #requests: GlueRequests;
  readonly #root: string;

  constructor(options: GlueCatalogOptions) {
    this.#options = options;
    this.#requests = new GlueRequests(options.clients);
    this.#root = normalUri(options.lakeUri);
  }

  /** Databases that have a table in this lake. */
  async databases(): Promise<readonly string[]> {
    const found: string[] = [];
    for await (const name of this.#requests.databases()) {
      if (isCatalogName(name) && (await this.tables(name)).length > 0) found.push(name);
    }
    return found.sort();
  }

  async tables(database: string): Promise<readonly string[]> {
    const found: string[] = [];
    for await (const table of this.#requests.tables(checkedCatalogName(database))) {
      const name = table.Name ?? '';
      if (isCatalogName(name) && this.#isHere(database, name, metadataUriOf(table))) {
        found.push(name);
      }
    }
    return found.sort();
  }

  tableLocation(database: string, table: string): string {
    return `${this.#root}/${checkedCatalogName(database)}/${checkedCatalogName(table)}`;
  }

  /** The entry; its version is Glue's VersionId. Throws REFUSED_FOREIGN_WRITER for a table or view that is not Iceberg,
   *  REFUSED_FOREIGN_PATH for one outside this lake, REFUSED_OTHER_CATALOG for a table of the catalog of files in the same
   *  folder, and what AWS answers. */
  async current(database: string, table: string): Promise<CatalogEntry | null> {
    checkedCatalogName(database);
    const found = await this.#requests.table(database, checkedCatalogName(table));
    if (found === null) {
      await this.#refuseOther(database, table);
      return null;
    }
    return {
      metadataUri: this.#checkedUri(database, table, found),
      version: found.VersionId ?? '',
    };
  }

  /** Throws when nothing was committed and nothing can be any more: DENIED, THROTTLED, what `current` throws, and so on. */
  async commit(
    database: string,
    table: string,
    base: CatalogEntry | null,
    metadata: Uint8Array,
  ): Promise<CommitOutcome> {
    const { store, ids } = this.#options;
    const md = parseTableMetadata(metadata);
    const location = this.tableLocation(database, table);
    const found = await this.#requests.table(database, table);
    const foundUri = found === null ? null : this.#checkedUri(database, table, found);
    // Another VersionId with the same pointer is somebody's new comment: a commit on top of it loses nothing.
    if (foundUri !== (base?.metadataUri ?? null)) return 'conflict';
    if (base === null) await this.#refuseOther(database, table);
    const number = String(metadataNumber(base?.metadataUri ?? null)).padStart(5, '0');
    const uri = `${location}/metadata/${number}-${ids.uuid()}.metadata.json`;
    if ((await store.putIfAbsent(uri, metadata)) === 'exists') {
      // After a lost answer a store finds its own object.
      if (Buffer.compare(await store.read(uri), metadata) !== 0) return 'conflict';
    }
    const commit = new GlueCommit({
      ...this.#options,
      requests: this.#requests,
      place: { database, table, databaseLocation: `${this.#root}/${database}` },
      md,
      uri,
      baseUri: base?.metadataUri ?? null,
    });
    let outcome: CommitOutcome;
    try {
      outcome = await commit.run(found);
    } catch (error) {
      await removeFiles(store, [uri]);
      throw error;
    }
    if (outcome === 'conflict') await removeFiles(store, [uri]);
    return outcome;
  }

  async #refuseOther(database: string, table: string): Promise<void> {
    const location = this.tableLocation(database, table);
    const names = await this.#options.store.children(`${location}/metadata`);
    refuseOtherCatalog('glue', { database, table, location }, names);
  }

  #isHere(database: string, table: string, uri: string | null): uri is string {
    return uri !== null && normalUri(uri).startsWith(`${this.tableLocation(database, table)}/`);
  }

  #checkedUri(database: string, table: string, found: Table): string {
    const uri = metadataUriOf(found);
    if (uri === null) {
      throw refuse(
        'REFUSED_FOREIGN_WRITER',
        `Glue has ${database}.${table}, and it is no Iceberg table`,
        'another program made it; it was not touched',
        'name another table with --table or another database with --database',
      );
    }
    if (this.#isHere(database, table, uri)) return uri;
    throw refuse(
      'REFUSED_FOREIGN_PATH',
      `Glue has ${database}.${table} outside ${this.tableLocation(database, table)}`,
      'it is the table of another lake; it was not touched',
      'name its lake with --lake, or another table with --table, or another database with --database',
    );
  }
}

/** Where the metadata of an Iceberg table lies; null for a table or view of another kind. */
function metadataUriOf(table: Table): string | null {
  const isIceberg = table.Parameters?.table_type?.toUpperCase() === 'ICEBERG';
  return (isIceberg && table.Parameters?.metadata_location) || null;
}

/** The number of the metadata file after one that is called `00012-….metadata.json` or `v12.metadata.json`. */
function metadataNumber(uri: string | null): number {
  const found = /\/v?(\d{1,15})[^/]*\.metadata\.json(?:\.gz)?$/.exec(uri ?? '');
  return found === null ? 0 : Number(found[1]) + 1;
}
