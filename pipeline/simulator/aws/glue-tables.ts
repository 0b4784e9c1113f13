// Tables of the simulated Glue, and their versions.
// Promises: an update with a VersionId that is not the current one changes nothing; an update replaces the input whole; what
// was put is given back, members unknown here included.
// Source: AWS Glue Web API Reference, CreateTable, GetTable, GetTables, UpdateTable, DeleteTable, BatchDeleteTable,
// GetTableVersion, GetTableVersions, DeleteTableVersion, BatchDeleteTableVersion.

import type { Clock } from '../../ports.js';
import {
  alreadyExists,
  GlueFault,
  invalidInput,
  type Json,
  notFound,
  pageOf,
} from './glue-call.js';
import { checkInput } from './glue-limits.js';
import { catalogOf, lowered, secondsOf, text } from './glue-names.js';
import type { DatabasePlace, GlueState, StoredTable } from './glue-state.js';

export class GlueTables {
  readonly #state: GlueState;
  readonly #clock: Clock;

  constructor(state: GlueState, clock: Clock) {
    this.#state = state;
    this.#clock = clock;
  }

  create(input: Json): Promise<Json> {
    checkInput(input, ['DatabaseName', 'TableInput']);
    const place = placeOf(input);
    const given = input.TableInput as Json;
    const table = lowered(given.Name);
    return this.#state.changing(place, async () => {
      await this.#state.existingDatabase(place);
      if ((await this.#state.table(place, table)) !== null) throw alreadyExists('Table');
      const nowMs = this.#clock.nowMs();
      const times = { createTimeMs: nowMs, updateTimeMs: nowMs };
      await this.#state.putTable(place, table, { input: given, version: 0, ...times });
      return {};
    });
  }

  async get(input: Json): Promise<Json> {
    checkInput(input, ['DatabaseName', 'Name']);
    const place = placeOf(input);
    const table = lowered(input.Name);
    return { Table: shown(place, table, await this.#state.existingTable(place, table)) };
  }

  async list(input: Json): Promise<Json> {
    checkInput(input, ['DatabaseName']);
    const place = placeOf(input);
    await this.#state.existingDatabase(place);
    const isWanted = matcher(text(input.Expression));
    const names = (await this.#state.tables(place)).filter(isWanted);
    const page = pageOf(names, input, 100);
    const list: Json[] = [];
    for (const table of page.names) {
      const stored = await this.#state.table(place, table);
      if (stored !== null) list.push(shown(place, table, stored));
    }
    return { TableList: list, ...page.next };
  }

  update(input: Json): Promise<Json> {
    checkInput(input, ['DatabaseName', 'TableInput']);
    const place = placeOf(input);
    const given = input.TableInput as Json;
    const table = lowered(given.Name);
    return this.#state.changing(place, async () => {
      const old = await this.#state.existingTable(place, table);
      const expected = input.VersionId ?? null;
      if (expected !== null && expected !== String(old.version)) {
        throw new GlueFault(
          'ConcurrentModificationException',
          'Update table failed due to concurrent modifications.',
        );
      }
      // Archived first: a version that is still current as well is told apart by its number.
      if (input.SkipArchive !== true) await this.#state.archive(place, table, old);
      await this.#state.putTable(place, table, {
        input: given,
        version: old.version + 1,
        createTimeMs: old.createTimeMs,
        updateTimeMs: this.#clock.nowMs(),
      });
      return {};
    });
  }

  delete(input: Json): Promise<Json> {
    checkInput(input, ['DatabaseName', 'Name']);
    const place = placeOf(input);
    const table = lowered(input.Name);
    return this.#state.changing(place, async () => {
      await this.#state.existingTable(place, table);
      await this.#state.removeTable(place, table);
      return {};
    });
  }

  batchDelete(input: Json): Promise<Json> {
    checkInput(input, ['DatabaseName', 'TablesToDelete']);
    const place = placeOf(input);
    return this.#state.changing(place, async () => {
      await this.#state.existingDatabase(place);
      const errors: Json[] = [];
      for (const name of input.TablesToDelete as readonly string[]) {
        const table = lowered(name);
        if ((await this.#state.table(place, table)) !== null) {
          await this.#state.removeTable(place, table);
        } else errors.push({ TableName: name, ErrorDetail: detail(`Table ${name} not found.`) });
      }
      return { Errors: errors };
    });
  }

  async getVersion(input: Json): Promise<Json> {
    checkInput(input, ['DatabaseName', 'TableName']);
    const place = placeOf(input);
    const table = lowered(input.TableName);
    const current = await this.#state.existingTable(place, table);
    const wanted = input.VersionId ?? String(current.version);
    const stored = await this.#version(place, table, current, text(wanted));
    if (stored === null) throw notFound('Version not found.');
    return { TableVersion: versionShown(place, table, stored) };
  }

  /** The current version and those archived, newest first. */
  async listVersions(input: Json): Promise<Json> {
    checkInput(input, ['DatabaseName', 'TableName']);
    const place = placeOf(input);
    const table = lowered(input.TableName);
    const current = await this.#state.existingTable(place, table);
    const numbers = new Set([...(await this.#state.archived(place, table)), current.version]);
    // Names that ascend while the versions descend, for the pages.
    const keys = new Map(
      [...numbers].map((one) => [String(1e15 - one).padStart(16, '0'), String(one)]),
    );
    const page = pageOf([...keys.keys()].sort(), input, 100);
    const versions: Json[] = [];
    for (const key of page.names) {
      const stored = await this.#version(place, table, current, keys.get(key)!);
      if (stored !== null) versions.push(versionShown(place, table, stored));
    }
    return { TableVersions: versions, ...page.next };
  }

  deleteVersion(input: Json): Promise<Json> {
    checkInput(input, ['DatabaseName', 'TableName', 'VersionId']);
    return this.#state.changing(placeOf(input), async () => {
      const fault = await this.#removeVersion(input, text(input.VersionId));
      if (fault !== null) throw fault;
      return {};
    });
  }

  batchDeleteVersion(input: Json): Promise<Json> {
    checkInput(input, ['DatabaseName', 'TableName', 'VersionIds']);
    return this.#state.changing(placeOf(input), async () => {
      const errors: Json[] = [];
      for (const version of input.VersionIds as readonly string[]) {
        const fault = await this.#removeVersion(input, version);
        if (fault === null) continue;
        const { code, message } = fault;
        errors.push({
          TableName: input.TableName,
          VersionId: version,
          ErrorDetail: detail(message, code),
        });
      }
      return { Errors: errors };
    });
  }

  async #removeVersion(input: Json, version: string): Promise<GlueFault | null> {
    const place = placeOf(input);
    const table = lowered(input.TableName);
    const current = await this.#state.existingTable(place, table);
    if (version === String(current.version)) {
      return invalidInput('The current version of a table cannot be deleted.');
    }
    if ((await this.#version(place, table, current, version)) === null) {
      return notFound('Version not found.');
    }
    await this.#state.removeVersion(place, table, Number(version));
    return null;
  }

  async #version(
    place: DatabasePlace,
    table: string,
    current: StoredTable,
    version: string,
  ): Promise<StoredTable | null> {
    if (version === String(current.version)) return current;
    if (!/^(0|[1-9]\d{0,11})$/.test(version)) return null;
    return this.#state.version(place, table, Number(version));
  }
}

function placeOf(input: Json): DatabasePlace {
  return { catalogId: catalogOf(input), database: lowered(input.DatabaseName) };
}

function detail(message: string, code = 'EntityNotFoundException'): Json {
  return { ErrorCode: code, ErrorMessage: message };
}

/** Whether a name is wanted: the whole of it matches the regular expression; `*` alone stands for anything too. */
function matcher(expression: string): (name: string) => boolean {
  if (expression === '') return () => true;
  const glob = expression.replace(/[\\^$.+?()[\]{}|]/g, '\\$&').replaceAll('*', '.*');
  const patterns = [new RegExp(`^(?:${glob})$`, 'su')];
  try {
    patterns.push(new RegExp(`^(?:${expression})$`, 'su'));
  } catch {
    // No regular expression to JavaScript: the wildcards stand alone.
  }
  return (name) => patterns.some((pattern) => pattern.test(name));
}

/** A table as GetTable shows it. Members of a storage descriptor that were not put have Glue's defaults. */
function shown(place: DatabasePlace, table: string, stored: StoredTable): Json {
  const descriptor = stored.input.StorageDescriptor;
  return {
    Retention: 0,
    ...stored.input,
    ...(typeof descriptor === 'object' && descriptor !== null
      ? { StorageDescriptor: { ...descriptorDefaults, ...descriptor } }
      : {}),
    Name: table,
    DatabaseName: place.database,
    CatalogId: place.catalogId,
    CreateTime: secondsOf(stored.createTimeMs),
    UpdateTime: secondsOf(stored.updateTimeMs),
    CreatedBy: `arn:aws:iam::${place.catalogId}:root`,
    IsRegisteredWithLakeFormation: false,
    VersionId: String(stored.version),
  };
}

const descriptorDefaults: Json = {
  Columns: [],
  Compressed: false,
  NumberOfBuckets: 0,
  SortColumns: [],
  StoredAsSubDirectories: false,
};

function versionShown(place: DatabasePlace, table: string, stored: StoredTable): Json {
  return { Table: shown(place, table, stored), VersionId: String(stored.version) };
}
