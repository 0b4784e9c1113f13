// The Iceberg tables of a Glue, wherever their files lie: for a reader that has no lake of its own, as Athena has none.
// Promises: nothing is written. Source: Amazon Athena User Guide, "Query Apache Iceberg tables"; ports.ts, Catalog.

import type { Catalog, CatalogEntry, CommitOutcome } from '../ports.js';
import type { AwsClients } from './clients.js';
import { GlueRequests } from './glue-requests.js';

export class GlueTablesAnywhere implements Catalog {
  readonly #requests: GlueRequests;

  constructor(clients: Pick<AwsClients, 'glue' | 'glueOnce'>) {
    this.#requests = new GlueRequests(clients);
  }

  async databases(): Promise<readonly string[]> {
    const names: string[] = [];
    for await (const name of this.#requests.databases()) names.push(name);
    return names.sort();
  }

  async tables(database: string): Promise<readonly string[]> {
    const names: string[] = [];
    for await (const { Name, Parameters } of this.#requests.tables(database)) {
      if (Name !== undefined && Parameters?.metadata_location !== undefined) names.push(Name);
    }
    return names.sort();
  }

  /** Tables are found by their metadata; where a new one would lie is nobody's question here. */
  tableLocation(): string {
    throw new Error('this catalog only reads');
  }

  async current(database: string, table: string): Promise<CatalogEntry | null> {
    const found = await this.#requests.table(database, table);
    const metadataUri = found?.Parameters?.metadata_location;
    return metadataUri === undefined ? null : { metadataUri, version: found?.VersionId ?? '' };
  }

  async commit(): Promise<CommitOutcome> {
    throw new Error('this catalog only reads');
  }
}
