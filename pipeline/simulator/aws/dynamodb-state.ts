// The tables of the simulated DynamoDB: descriptions in documents, pasts in logs, both in memory for answers.
// Promises: what was answered for is there after a crash; a table made anew under a name has another id and another past.
// Source: Amazon DynamoDB Developer Guide, "Working with tables and data in DynamoDB".

import type { KeyAttribute } from '../../../schemas/attribute.js';
import type { Clock } from '../../ports.js';
import { itemFromParsed } from '../canonical.js';
import { type Item, keysOf } from '../item.js';
import { type PastWrite, SimulatedTable } from '../table.js';
import { DynamoDbFault, invalid, type Json, neededText } from './dynamodb-call.js';
import { type LoggedWrite, loggedWrites, PastLog, removePast } from './dynamodb-past.js';
import type { Pitr } from './dynamodb-pitr.js';
import { type DynamoDbSettings, defaultSettings } from './dynamodb-settings.js';
import { itemBytes, wireItem } from './dynamodb-values.js';
import { KeyedLock } from './keyed-lock.js';
import { simulatedAccount } from './s3-call.js';
import type { SimDocuments } from './service.js';

/** Where everything simulated is. */
export const simulatedRegion = 'eu-west-1';
const tablePrefix = 'dynamodb/table/';
const settingsName = 'dynamodb/settings';

/** The ARN of a table of this simulator. */
export function tableArn(name: string): string {
  return `arn:aws:dynamodb:${simulatedRegion}:${simulatedAccount}:table/${name}`;
}

/** Time to live: the attribute, and whether it is switched on. */
export interface TimeToLive {
  readonly attribute: string;
  readonly isEnabled: boolean;
}

/** A table as its document has it. */
export interface StoredTable {
  readonly tableId: string;
  readonly name: string;
  readonly key: readonly KeyAttribute[];
  readonly createdMs: number;
  /** Members of the table's description that requests decide: indexes, throughput, streams, … */
  readonly description: Json;
  readonly tags: Readonly<Record<string, string>>;
  readonly ttl: TimeToLive | null;
  readonly pitr: Pitr | null;
  /** Deleted, and kept for exports that are in progress. */
  readonly isDeleted: boolean;
}

/** A table: its description, which changes as a whole, and its past, which grows. */
export class SimTable {
  stored: StoredTable;
  readonly past: SimulatedTable;
  readonly log: PastLog;
  itemCount = 0;
  sizeBytes = 0;
  /** Of the last write. */
  lastMicros = 0;

  constructor(stored: StoredTable, log: PastLog) {
    this.stored = stored;
    this.log = log;
    const { name, key, tableId } = stored;
    this.past = new SimulatedTable({ name, key, tableId, arn: tableArn(name) });
  }

  get name(): string {
    return this.stored.name;
  }

  /** Takes a write into the past that memory holds. Writes come in time order per key. */
  remember(write: PastWrite): void {
    const before = this.past.latest(write.keys);
    if (before !== null) {
      this.itemCount -= 1;
      this.sizeBytes -= itemBytes(before);
    }
    this.lastMicros = Math.max(this.lastMicros, write.micros);
    if (write.item === null) {
      this.past.delete(write.micros, write.keys);
      return;
    }
    this.past.put(write.micros, write.item);
    this.itemCount += 1;
    this.sizeBytes += itemBytes(write.item);
  }

  /**
   * Writes an item (null deletes), at a microsecond of the clock that no earlier write has; returns when it is durable.
   * Memory has it when the call returns its promise, so a condition proved just before still holds.
   */
  write(keys: Item, item: Item | null, nowMs: number): Promise<void> {
    return this.writeAt(keys, item, nowMs * 1000);
  }

  /** The same for an instant, in microseconds, that may be past; it is after every earlier write. */
  writeAt(keys: Item, item: Item | null, atMicros: number): Promise<void> {
    const micros = Math.max(atMicros, this.lastMicros + 1);
    const write: PastWrite = { micros, keys, item };
    this.remember(write);
    return this.log.append([loggedWrite(write)]);
  }
}

function loggedWrite({ micros, keys, item }: PastWrite): LoggedWrite {
  return item === null ? { micros, keys: wireItem(keys) } : { micros, item: wireItem(item) };
}

export class DynamoDbState {
  readonly documents: SimDocuments;
  readonly clock: Clock;
  readonly #tables = new Map<string, SimTable>();
  /** Deleted tables whose pasts are still needed, by id. */
  readonly #deleted = new Map<string, SimTable>();
  readonly #lock = new KeyedLock();
  #settings: DynamoDbSettings = defaultSettings;

  private constructor(documents: SimDocuments, clock: Clock) {
    this.documents = documents;
    this.clock = clock;
  }

  /** Reads everything there is. */
  static async open(documents: SimDocuments, clock: Clock): Promise<DynamoDbState> {
    const state = new DynamoDbState(documents, clock);
    const settings = (await documents.get(settingsName)) as DynamoDbSettings | null;
    state.#settings = { ...defaultSettings, ...settings };
    const pasts = new Set<string>();
    for (const name of await documents.names(tablePrefix)) {
      const stored = (await documents.get(name)) as StoredTable;
      pasts.add(stored.tableId);
      await state.#load(stored);
    }
    // A table is there when its document is: what is left of one half made or half removed goes.
    for (const name of await documents.names('dynamodb/past/')) {
      if (!pasts.has(name.split('/')[2]!)) await documents.remove(name);
    }
    return state;
  }

  async #load(stored: StoredTable): Promise<void> {
    const { tableId, key } = stored;
    const table = new SimTable(stored, await PastLog.open(this.documents, tableId));
    for await (const write of loggedWrites(this.documents, tableId)) {
      const { micros } = write;
      if ('item' in write) {
        const item = itemFromParsed(write.item);
        table.remember({ micros, keys: keysOf(item, key), item });
      } else table.remember({ micros, keys: itemFromParsed(write.keys), item: null });
    }
    if (stored.isDeleted) this.#deleted.set(tableId, table);
    else this.#tables.set(stored.name, table);
  }

  get settings(): DynamoDbSettings {
    return this.#settings;
  }

  async setSettings(settings: DynamoDbSettings): Promise<void> {
    await this.documents.put(settingsName, settings);
    this.#settings = settings;
  }

  /** Runs changes of one table's description, or of what else has a name, one after the other. */
  alone<T>(name: string, work: () => Promise<T>): Promise<T> {
    return this.#lock.run(name, work);
  }

  /** Names of all tables, sorted by code unit. */
  names(): readonly string[] {
    return [...this.#tables.keys()].sort();
  }

  find(name: string): SimTable | null {
    return this.#tables.get(name) ?? null;
  }

  /** The table with an id, deleted or not. */
  byId(tableId: string): SimTable | null {
    const live = [...this.#tables.values()].find((table) => table.stored.tableId === tableId);
    return live ?? this.#deleted.get(tableId) ?? null;
  }

  deletedIds(): readonly string[] {
    return [...this.#deleted.keys()];
  }

  /** The table a request names, by name or ARN. Throws ResourceNotFoundException. */
  named(input: Json, member = 'TableName'): SimTable {
    const table = this.find(nameOf(neededText(input, member)));
    if (table === null) {
      throw new DynamoDbFault('ResourceNotFoundException', 'Requested resource not found');
    }
    return table;
  }

  /** Makes a table, with a past if there is one. */
  async create(stored: StoredTable, past: Iterable<PastWrite> = []): Promise<SimTable> {
    const table = new SimTable(stored, await PastLog.open(this.documents, stored.tableId));
    let writes: LoggedWrite[] = [];
    for (const write of past) {
      table.remember(write);
      writes.push(loggedWrite(write));
      if (writes.length < 1000) continue;
      await table.log.append(writes);
      writes = [];
    }
    await table.log.append(writes);
    await this.documents.put(`${tablePrefix}${stored.tableId}`, stored);
    this.#tables.set(stored.name, table);
    return table;
  }

  /** Puts a changed description in place. */
  async change(table: SimTable, changes: Partial<StoredTable>): Promise<void> {
    const stored = { ...table.stored, ...changes };
    await this.documents.put(`${tablePrefix}${stored.tableId}`, stored);
    table.stored = stored;
  }

  /** Takes a table away; its past stays as long as somebody says. */
  async remove(table: SimTable, isPastNeeded: boolean): Promise<void> {
    await table.log.settled();
    await this.change(table, { isDeleted: true });
    this.#tables.delete(table.name);
    this.#deleted.set(table.stored.tableId, table);
    if (!isPastNeeded) await this.forget(table.stored.tableId);
  }

  /** Forgets a deleted table's past; does nothing for a table that is there. */
  async forget(tableId: string): Promise<void> {
    if (!this.#deleted.delete(tableId)) return;
    await this.documents.remove(`${tablePrefix}${tableId}`);
    await removePast(this.documents, tableId);
  }
}

/** A table's name, given as itself or in an ARN. Throws ValidationException for an ARN of another account or Region. */
export function nameOf(nameOrArn: string): string {
  if (!nameOrArn.startsWith('arn:')) return nameOrArn;
  const name = /^arn:aws:dynamodb:[\w-]+:\d{12}:table\/([^/]+)/.exec(nameOrArn)?.[1];
  if (name === undefined) throw invalid('Invalid table ARN');
  return name;
}
