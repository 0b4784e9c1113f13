// Databases of the simulated Glue.
// Promises: names are folded to lower case; a database is deleted with all its tables.
// Source: AWS Glue Web API Reference, CreateDatabase, GetDatabase, GetDatabases, UpdateDatabase, DeleteDatabase.

import type { Clock } from '../../ports.js';
import { alreadyExists, type Json, pageOf } from './glue-call.js';
import { checkInput } from './glue-limits.js';
import { catalogOf, lowered, secondsOf, text } from './glue-names.js';
import type { DatabasePlace, GlueState, StoredDatabase } from './glue-state.js';

export class GlueDatabases {
  readonly #state: GlueState;
  readonly #clock: Clock;

  constructor(state: GlueState, clock: Clock) {
    this.#state = state;
    this.#clock = clock;
  }

  create(input: Json): Promise<Json> {
    checkInput(input, ['DatabaseInput']);
    const given = input.DatabaseInput as Json;
    const place = { catalogId: catalogOf(input), database: lowered(given.Name) };
    return this.#state.changing(place, async () => {
      if ((await this.#state.database(place)) !== null) throw alreadyExists('Database');
      const createTimeMs = this.#clock.nowMs();
      const stored = { ...given, Name: place.database };
      await this.#state.putDatabase(place, { input: stored, createTimeMs });
      return {};
    });
  }

  async get(input: Json): Promise<Json> {
    checkInput(input, ['Name']);
    const place = { catalogId: catalogOf(input), database: lowered(input.Name) };
    return { Database: shown(place, await this.#state.existingDatabase(place)) };
  }

  async list(input: Json): Promise<Json> {
    checkInput(input, []);
    const catalogId = catalogOf(input);
    const page = pageOf(await this.#state.databases(catalogId), input, 100);
    const list: Json[] = [];
    for (const database of page.names) {
      const stored = await this.#state.database({ catalogId, database });
      if (stored !== null) list.push(shown({ catalogId, database }, stored));
    }
    return { DatabaseList: list, ...page.next };
  }

  update(input: Json): Promise<Json> {
    checkInput(input, ['Name', 'DatabaseInput']);
    const place = { catalogId: catalogOf(input), database: lowered(input.Name) };
    return this.#state.changing(place, async () => {
      const { createTimeMs } = await this.#state.existingDatabase(place);
      const stored = { ...(input.DatabaseInput as Json), Name: place.database };
      await this.#state.putDatabase(place, { input: stored, createTimeMs });
      return {};
    });
  }

  delete(input: Json): Promise<Json> {
    checkInput(input, ['Name']);
    const place = { catalogId: catalogOf(input), database: lowered(input.Name) };
    return this.#state.changing(place, async () => {
      await this.#state.existingDatabase(place);
      await this.#state.removeDatabase(place);
      return {};
    });
  }
}

function shown({ catalogId }: DatabasePlace, { input, createTimeMs }: StoredDatabase): Json {
  return {
    ...input,
    Name: text(input.Name),
    CreateTime: secondsOf(createTimeMs),
    CatalogId: catalogId,
  };
}
