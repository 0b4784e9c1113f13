// The files catalog: a table's current metadata is its highest `metadata/v<N>.metadata.json`, nothing else.
// Promises: of two commits on one base exactly one wins; the hint file is a cache whose loss or staleness changes
// nothing. Layout: what Iceberg's Java library calls a Hadoop table (HadoopTableOperations).
import { TidelakeError } from '../../schemas/errors.js';
import type { Catalog, CatalogEntry, CommitOutcome, ObjectStore } from '../ports.js';
import { ObjectNotFoundError } from '../ports.js';
import { checkedCatalogName, isCatalogName } from './catalog-name.js';
import { refuseOtherCatalog } from './other-catalog.js';

/** Versions looked for at once beyond the one the hint names. */
const lookAhead = 4;
/** Rounds of looking ahead before the folder is listed instead. */
const lookAheadRoundsMax = 4;

const versionForm: RegExp = /^v([1-9]\d{0,14})\.metadata\.json$/;

/** A catalog of tables below a lake's root folder: `<root>/<database>/<table>`. */
export class FilesCatalog implements Catalog {
  private readonly store: ObjectStore;
  private readonly root: string;

  constructor(store: ObjectStore, rootUri: string) {
    this.store = store;
    this.root = rootUri.replace(/\/+$/, '');
  }

  async databases(): Promise<readonly string[]> {
    const found: string[] = [];
    for (const name of await this.store.children(this.root)) {
      if (isCatalogName(name) && (await this.tables(name)).length > 0) found.push(name);
    }
    return found;
  }

  async tables(database: string): Promise<readonly string[]> {
    const found: string[] = [];
    for (const name of await this.store.children(`${this.root}/${checkedCatalogName(database)}`)) {
      if (isCatalogName(name) && (await this.listed(database, name)) > 0) found.push(name);
    }
    return found;
  }

  tableLocation(database: string, table: string): string {
    return `${this.root}/${checkedCatalogName(database)}/${checkedCatalogName(table)}`;
  }

  /** Throws REFUSED_OTHER_CATALOG for a folder that holds the table of a catalog of another kind. */
  async current(database: string, table: string): Promise<CatalogEntry | null> {
    const version = (await this.hinted(database, table)) ?? (await this.listed(database, table));
    if (version === 0) {
      const location = this.tableLocation(database, table);
      const names = await this.store.children(`${location}/metadata`);
      refuseOtherCatalog('files', { database, table, location }, names);
      return null;
    }
    return { metadataUri: this.metadataUri(database, table, version), version: String(version) };
  }

  async commit(
    database: string,
    table: string,
    base: CatalogEntry | null,
    metadata: Uint8Array,
  ): Promise<CommitOutcome> {
    const baseVersion = base === null ? 0 : Number(base.version);
    // The exclusive put alone is not enough for a writer that slept so long that the version after its base was
    // tidied away meanwhile.
    const current = await this.current(database, table);
    if (Number(current?.version ?? 0) !== baseVersion) return 'conflict';
    const version = baseVersion + 1;
    const uri = this.metadataUri(database, table, version);
    const outcome = await this.publish(uri, metadata);
    if (outcome === 'committed') {
      const hint = new TextEncoder().encode(String(version));
      // The commit has happened: a hint that cannot be written only makes the next reader look further.
      await this.store.put(this.hintUri(database, table), hint).catch(() => undefined);
    }
    return outcome;
  }

  private async publish(uri: string, metadata: Uint8Array): Promise<CommitOutcome> {
    let failure: unknown;
    try {
      if ((await this.store.putIfAbsent(uri, metadata)) === 'created') return 'committed';
    } catch (error) {
      failure = error;
    }
    // Somebody's bytes, or our own: a store that repeats a request whose answer was lost finds its own object.
    try {
      const found = await this.store.read(uri);
      return Buffer.compare(found, metadata) === 0 ? 'committed' : 'conflict';
    } catch (error) {
      // Not there yet is not never there, when the store could not tell what became of its request.
      if (failure === undefined || isDoubtful(failure)) return 'unknown';
      if (error instanceof ObjectNotFoundError) throw failure;
      return 'unknown';
    }
  }

  /** The highest version as found from the hint; null when the hint is of no use. */
  private async hinted(database: string, table: string): Promise<number | null> {
    let text: string;
    try {
      text = new TextDecoder().decode(await this.store.read(this.hintUri(database, table)));
    } catch (error) {
      if (error instanceof ObjectNotFoundError) return null;
      throw error;
    }
    const found = /^\s*([1-9]\d{0,14})\s*$/.exec(text);
    if (found === null) return null;
    let version = Number(found[1]);
    if (!(await this.has(database, table, version))) return null;
    for (let round = 0; round < lookAheadRoundsMax; round++) {
      const next = Array.from({ length: lookAhead }, (_, i) => version + 1 + i);
      const exist = await Promise.all(next.map((one) => this.has(database, table, one)));
      const last = exist.lastIndexOf(true);
      if (last >= 0) version = next[last]!;
      if (last < lookAhead - 1) return version;
    }
    return null;
  }

  /** The highest version in the folder; 0 when there is none. */
  private async listed(database: string, table: string): Promise<number> {
    const names = await this.store.children(`${this.tableLocation(database, table)}/metadata`);
    return names.reduce(
      (most, name) => Math.max(most, Number(versionForm.exec(name)?.[1] ?? 0)),
      0,
    );
  }

  private async has(database: string, table: string, version: number): Promise<boolean> {
    return (await this.store.size(this.metadataUri(database, table, version))) !== null;
  }

  private metadataUri(database: string, table: string, version: number): string {
    return `${this.tableLocation(database, table)}/metadata/v${version}.metadata.json`;
  }

  private hintUri(database: string, table: string): string {
    return `${this.tableLocation(database, table)}/metadata/version-hint.text`;
  }
}

/** Whether a put that failed may still be done: a request on its way to a far store outlives its sender's patience. */
function isDoubtful(error: unknown): boolean {
  return (
    error instanceof TidelakeError &&
    (error.code === 'SERVICE_FAILED' || error.code === 'THROTTLED')
  );
}
