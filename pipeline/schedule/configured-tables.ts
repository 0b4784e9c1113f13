// The tables of the configuration as jobs: named one by one, found by prefix, found by tag.
// Promises: a table has one job or is refused by name; what one entry cannot find out, or two say differently, stops no other
// table; few requests: one ListTables for each place, tags only for entries by tag.
// Sources: Amazon DynamoDB API Reference, ListTables, ListTagsOfResource; DESIGN "The hourly job" (many tables).

import type { TableEntry, TidelakeConfig } from '../../schemas/config.js';
import { type ErrorFacts, refuse, TidelakeError } from '../../schemas/errors.js';
import { settingDefaults, upkeepDefaults } from '../../schemas/table-settings.js';
import { tableNameOf } from '../lake/table-name.js';
import type { TableExports } from '../ports.js';
import type { Target } from '../reports.js';
import { destinationOf, entryText, isExcepted, settingsOfEntry } from './table-entries.js';
import type { TableJob } from './table-job.js';

/** How DynamoDB is reached. Null: as the run reaches AWS. */
export interface DynamoDbPlace {
  readonly region: string | null;
  readonly roleArn: string | null;
}

/** What the configuration's tables are in; `table` picks one of them, by its name in the lake or in DynamoDB. */
export interface TablesOptions extends Target {
  /** Region of the run, where it is known: ARNs of tables in other accounts need it. */
  readonly region: string | null;
}

/** A table, or an entry, without a job. */
export interface RefusedTable {
  /** Name in the lake; of an entry whose tables could not be found, what it says. */
  readonly table: string;
  readonly source: string;
  readonly error: ErrorFacts;
}

export interface ConfiguredTables {
  /** By the name of the lake table. */
  readonly jobs: readonly TableJob[];
  readonly refused: readonly RefusedTable[];
}

/** A table that an entry means. */
interface Meant {
  /** The entry, with the defaults where it has no settings of its own. */
  readonly entry: TableEntry;
  /** Where its place tells tables of one name apart. */
  readonly identity: string;
  readonly source: string;
  readonly table: string;
}

/**
 * The jobs of all tables that the configuration names. `open` reaches DynamoDB, and is asked for entries by prefix or tag only.
 * Throws USAGE for a configuration without tables or without a bucket for exports, and when `table` is none of them.
 */
export async function configuredTables(
  config: TidelakeConfig,
  open: (place: DynamoDbPlace) => Promise<TableExports>,
  options: TablesOptions,
): Promise<ConfiguredTables> {
  const entries = config.tables ?? [];
  if (entries.length === 0) throw noTables();
  checkDestinations(config, entries);
  const finder = new TableFinder(open, options);
  const meant: Meant[] = [];
  const refused: RefusedTable[] = [];
  for (const entry of entries) {
    try {
      meant.push(...(await finder.tablesOf({ ...entry, ...settingsOfEntry(config, entry) })));
    } catch (error) {
      if (!(error instanceof TidelakeError)) throw error;
      refused.push({ table: entryText(entry), source: entryText(entry), error: error.facts() });
    }
  }
  const clashes = [...doubles(meant), ...lakeClashes(meant)];
  const clashing = new Set(clashes.map(({ identity }) => identity));
  const jobs = meant
    .filter(({ identity }) => !clashing.has(identity))
    .map((one) => jobOf(one, options));
  const all = {
    jobs: sorted(jobs, (job) => job.target.table),
    refused: [...refused, ...clashes.map((clash) => clash.refused)],
  };
  return options.table === undefined ? all : picked(all, options.table);
}

class TableFinder {
  readonly #open: (place: DynamoDbPlace) => Promise<TableExports>;
  readonly #options: TablesOptions;
  /** By place: names of tables, listed once. */
  readonly #listed = new Map<string, Promise<readonly string[]>>();

  constructor(open: (place: DynamoDbPlace) => Promise<TableExports>, options: TablesOptions) {
    this.#open = open;
    this.#options = options;
  }

  async tablesOf(entry: TableEntry): Promise<readonly Meant[]> {
    if (entry.name !== undefined) return [this.#meant(entry, entry.name)];
    if (entry.account !== undefined && entry.roleArn === undefined) throw noRole(entry);
    const exports = await this.#open(placeOf(entry));
    const names = (await this.#names(entry, exports)).filter(
      (name) => name.startsWith(entry.prefix ?? '') && !isExcepted(entry, name),
    );
    const { tag } = entry;
    if (tag === undefined) return names.map((name) => this.#meant(entry, name));
    return (await tagged(exports, names, tag)).map((name) => this.#meant(entry, name));
  }

  #names(entry: TableEntry, exports: TableExports): Promise<readonly string[]> {
    const place = JSON.stringify(placeOf(entry));
    const known = this.#listed.get(place);
    if (known !== undefined) return known;
    const listed = allOf(exports.listTables());
    this.#listed.set(place, listed);
    return listed;
  }

  #meant(entry: TableEntry, name: string): Meant {
    const isArn = name.startsWith('arn:');
    const plain = isArn ? name.slice(name.lastIndexOf('/') + 1) : name;
    const region = isArn ? name.split(':')[3]! : (entry.region ?? this.#options.region);
    const account = isArn ? name.split(':')[4]! : (entry.account ?? null);
    const source = isArn || account === null ? name : arnOf(entry, name, region, account);
    return {
      entry,
      identity: JSON.stringify([plain, region, account, account === null ? entry.roleArn : null]),
      source,
      table: entry.lakeTable ?? tableNameOf(plain),
    };
  }
}

function placeOf({ name, region, roleArn }: TableEntry): DynamoDbPlace {
  const inArn = name?.startsWith('arn:') === true ? name.split(':')[3]! : undefined;
  return { region: inArn ?? region ?? null, roleArn: roleArn ?? null };
}

function arnOf(entry: TableEntry, name: string, region: string | null, account: string): string {
  if (region !== null) {
    const partition = region.startsWith('cn-')
      ? 'aws-cn'
      : region.startsWith('us-gov-')
        ? 'aws-us-gov'
        : 'aws';
    return `arn:${partition}:dynamodb:${region}:${account}:table/${name}`;
  }
  throw new TidelakeError({
    code: 'USAGE',
    what: `${entryText(entry)}: its account is named, and no Region`,
    meaning:
      'a table of another account is called by its ARN, which has the Region; it was passed over',
    next: 'add "region" to the entry, or to "aws"',
  });
}

function noRole(entry: TableEntry): TidelakeError {
  return new TidelakeError({
    code: 'USAGE',
    what: `${entryText(entry)}: its account is named, and no role there`,
    meaning: "another account's tables are listed by a role of that account; they were passed over",
    next: 'add "roleArn" to the entry',
  });
}

/** Those of the tables that have all tags. Their ARNs differ in the name alone, so one is asked for. */
async function tagged(
  exports: TableExports,
  names: readonly string[],
  tag: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  let root: string | null = null;
  const found: string[] = [];
  for (const name of names) {
    if (root === null) {
      const description = await exports.describeTable(name);
      // Gone since it was listed.
      if (description === null) continue;
      root = description.tableArn.slice(0, -name.length);
    }
    const tags = await exports.tagsOf(`${root}${name}`);
    if (Object.entries(tag).every(([key, value]) => tags.get(key) === value)) found.push(name);
  }
  return found;
}

async function allOf(names: AsyncIterable<string>): Promise<readonly string[]> {
  const all: string[] = [];
  for await (const name of names) all.push(name);
  return all;
}

/** The job of one table, from its settings with the defaults in them. Its bucket must be known. */
export function jobOf(
  { entry, source, table }: Pick<Meant, 'entry' | 'source' | 'table'>,
  options: Target,
): TableJob {
  const all = { ...settingDefaults, ...defined(entry) };
  const { lake, database, catalog } = options;
  return {
    source,
    target: { lake, database, table, ...(catalog === undefined ? {} : { catalog }) },
    schedule: {
      table,
      grainMinutes: all.grainMinutes,
      view: all.view,
      // What is asked for only every so often is not late before two windows were missed.
      lagMinutesMax: entry.lagMinutesMax ?? Math.max(all.lagMinutesMax, 3 * all.grainMinutes),
      // Every entry was looked at for its bucket before.
      destination: destinationOf(entry.exports ?? {})!,
      mayReseed: all.reseed,
      exportsAtOnceMax: all.exportsAtOnceMax,
      attemptsMax: all.attemptsMax,
      stuckMinutesMax: all.stuckMinutesMax,
      deadlineMs: null,
    },
    buckets: entry.buckets ?? null,
    partition: entry.partition ?? null,
    rules: { naming: entry.naming ?? null, retype: all.retype, retypeBytesMax: all.retypeBytesMax },
    upkeep: entry.upkeep === undefined ? null : { ...upkeepDefaults, ...defined(entry.upkeep) },
    ...placeOf(entry),
  };
}

type Defined<T> = { readonly [K in keyof T]: Exclude<T[K], undefined> };

function defined<T extends object>(settings: T): Partial<Defined<T>> {
  return Object.fromEntries(
    Object.entries(settings).filter(([, value]) => value !== undefined),
  ) as Partial<Defined<T>>;
}

interface Clash {
  readonly identity: string;
  readonly refused: RefusedTable;
}

function clash({ identity, table, source }: Meant, what: string, next: string): Clash {
  const meaning = 'nothing was done for it, since what holds is not said; other tables go on';
  const error = refuse('REFUSED_CONFIG', what, meaning, next).facts();
  return { identity, refused: { table, source, error } };
}

/** Tables that two entries mean. */
function doubles(meant: readonly Meant[]): Clash[] {
  return groups(meant, ({ identity }) => identity).map((group) => {
    const [first] = group;
    const entries = group.map(({ entry }) => entryText(entry)).join('; ');
    return clash(
      first,
      `${first.source} is meant by ${group.length} entries of "tables": ${entries}`,
      `leave it out of all but one: "except": ["${first.source}"] in an entry by prefix or tag`,
    );
  });
}

/** Different tables that would be one lake table. */
function lakeClashes(meant: readonly Meant[]): Clash[] {
  const once = new Map(meant.map((one) => [one.identity, one]));
  return groups([...once.values()], ({ table }) => table).flatMap((group) => {
    const sources = group.map(({ source }) => source).join(' and ');
    return group.map((one) =>
      clash(
        one,
        `${sources} would both be the lake table ${one.table}`,
        'give one of them an entry by name with another "lakeTable", and name it in "except" of an entry by prefix or tag',
      ),
    );
  });
}

/** Groups of two and more. */
function groups(
  meant: readonly Meant[],
  by: (one: Meant) => string,
): (readonly [Meant, Meant, ...Meant[]])[] {
  const found = new Map<string, Meant[]>();
  for (const one of meant) found.set(by(one), [...(found.get(by(one)) ?? []), one]);
  return [...found.values()].filter(
    (group): group is [Meant, Meant, ...Meant[]] => group.length > 1,
  );
}

function picked(all: ConfiguredTables, table: string): ConfiguredTables {
  const isIt = (one: string, source: string): boolean =>
    one === table || source === table || source.endsWith(`:table/${table}`);
  const jobs = all.jobs.filter((job) => isIt(job.target.table, job.source));
  const refused = all.refused.filter((one) => isIt(one.table, one.source));
  if (jobs.length + refused.length > 0) return { jobs, refused };
  // An entry that could not be looked into may have it: that is what is to be said.
  const unknown = all.refused.filter((one) => one.table === one.source);
  if (unknown.length > 0) return { jobs, refused: unknown };
  const names = all.jobs.map((job) => job.target.table);
  throw new TidelakeError({
    code: 'USAGE',
    what: `--table: ${table} is no table of tidelake.config.json`,
    meaning: 'nothing was done',
    next: `one of ${names.slice(0, 20).join(', ')}${names.length > 20 ? ', …' : ''}, or add an entry to "tables"; --source NAME for a table that is not to be in it`,
  });
}

function sorted<T>(all: readonly T[], by: (one: T) => string): readonly T[] {
  return [...all].sort((a, b) => (by(a) < by(b) ? -1 : 1));
}

function noTables(): TidelakeError {
  return new TidelakeError({
    code: 'USAGE',
    what: 'tidelake.config.json names no tables',
    meaning: 'nothing was done',
    next: 'add "tables", for example [{"name": "orders"}]; or give --table, --source and --bucket',
  });
}

function checkDestinations(config: TidelakeConfig, entries: readonly TableEntry[]): void {
  for (const entry of entries) {
    if (destinationOf(settingsOfEntry(config, entry).exports ?? {}) !== null) continue;
    throw new TidelakeError({
      code: 'USAGE',
      what: `tidelake.config.json: ${entryText(entry)}: no bucket for exports is named`,
      meaning: 'nothing was done',
      next: 'add "exports": {"bucket": "NAME"} to the file, or to the entry',
    });
  }
}
