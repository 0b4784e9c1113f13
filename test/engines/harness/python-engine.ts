// An engine that runs in Python, asked over HTTP: pyiceberg and Spark. Each has a small server beside its settings.
// Promises: as values.ts: nothing is rounded on the way.

import { join } from 'node:path';
import { database } from '../../scenarios/story-world.js';
import { Child, freePort } from './child.js';
import type { AwsEndpoint } from './endpoint.js';
import type { At, Engine } from './engine.js';
import { enginePlace } from './engines.js';
import type { EngineLake } from './lakes.js';
import { type Predicate, sqlOf } from './predicates.js';
import type { EngineAnswer, EngineValue } from './values.js';
import type { WritingEngine } from './write-suite.js';

/** Predicates asked in one statement of Spark. */
const predicatesMax = 40;

type Wire =
  | null
  | boolean
  | string
  | Wire[]
  | { readonly row: Readonly<Record<string, Wire>> }
  | { readonly map: readonly (readonly [string, Wire])[] };

interface WireAnswer {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Wire[])[];
}

class PythonServer {
  readonly #child: Child;
  readonly #url: string;

  private constructor(child: Child, url: string) {
    this.#child = child;
    this.#url = url;
  }

  static async start(
    name: 'pyiceberg' | 'spark',
    endpoint: AwsEndpoint,
    script: string,
    more: readonly string[] = [],
  ): Promise<PythonServer> {
    const place = enginePlace(name);
    const port = await freePort();
    const { url, region, accessKeyId, secretAccessKey } = endpoint;
    const child = await Child.start({
      name,
      program: place.python!,
      args: [join(import.meta.dirname, '..', script), String(port), url, region, ...more],
      env: {
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        AWS_REGION: region,
        AWS_EC2_METADATA_DISABLED: 'true',
        TZ: 'UTC',
        ...(place.java === undefined ? {} : { JAVA_HOME: place.java }),
      },
      isReady: (printed) => /^READY$/m.test(printed),
    });
    return new PythonServer(child, `http://127.0.0.1:${port}`);
  }

  async ask<T>(request: object): Promise<T> {
    const response = await fetch(this.#url, { method: 'POST', body: JSON.stringify(request) });
    const answer = (await response.json()) as T & { readonly error?: string };
    if (answer.error !== undefined) throw new Error(answer.error.slice(0, 2000));
    return answer;
  }

  close(): Promise<void> {
    return this.#child.stop();
  }
}

function answerOf(wire: WireAnswer): EngineAnswer {
  return {
    columns: wire.columns,
    rows: wire.rows.map(
      (row) => new Map(wire.columns.map((name, i) => [name, exactValue(row[i]!)])),
    ),
  };
}

function exactValue(wire: Wire): EngineValue {
  if (wire === null || typeof wire !== 'object') return wire;
  if (Array.isArray(wire)) return wire.map(exactValue);
  const pairs = 'map' in wire ? wire.map : 'row' in wire ? Object.entries(wire.row) : [];
  return new Map(pairs.map(([name, value]) => [name, exactValue(value)]));
}

export class Pyiceberg implements Engine {
  readonly #server: PythonServer;

  private constructor(server: PythonServer) {
    this.#server = server;
  }

  static async start(endpoint: AwsEndpoint): Promise<Pyiceberg> {
    return new Pyiceberg(
      await PythonServer.start('pyiceberg', endpoint, 'python/pyiceberg_engine.py'),
    );
  }

  async rows(lake: EngineLake, at?: At): Promise<EngineAnswer> {
    const read = `${database}.${lake.name}`;
    const state = at === undefined ? {} : 'ms' in at ? { ms: at.ms } : { snapshot: at.snapshotId };
    return answerOf(await this.#server.ask<WireAnswer>({ read, ...state }));
  }

  async counts(lake: EngineLake, predicates: readonly Predicate[]): Promise<readonly number[]> {
    const { counts } = await this.#server.ask<{ readonly counts: readonly number[] }>({
      count: `${database}.${lake.name}`,
      filters: predicates.map(({ path, op, value }) => ({ column: path.join('.'), op, value })),
    });
    return counts;
  }

  close(): Promise<void> {
    return this.#server.close();
  }
}

export class Spark implements WritingEngine {
  readonly textType = 'string';
  readonly keepsExpired = false;
  readonly #server: PythonServer;

  private constructor(server: PythonServer) {
    this.#server = server;
  }

  static async start(endpoint: AwsEndpoint): Promise<Spark> {
    const jars = enginePlace('spark').jars!.replaceAll(':', ',');
    const server = await PythonServer.start('spark', endpoint, 'spark/spark_engine.py', [jars]);
    return new Spark(server);
  }

  async query(sql: string): Promise<EngineAnswer> {
    return answerOf(await this.#server.ask<WireAnswer>({ sql }));
  }

  run(sql: string): Promise<unknown> {
    return this.query(sql);
  }

  /** From here on Spark deletes by position too, where the table lets it choose. */
  deletesByPosition(lake: EngineLake): Promise<unknown> {
    const modes = ['delete', 'update', 'merge'].map((one) => `'write.${one}.mode'='merge-on-read'`);
    return this.query(`ALTER TABLE ${lake.name} SET TBLPROPERTIES (${modes.join(', ')})`);
  }

  compact(lake: EngineLake): Promise<unknown> {
    const options = "options => map('rewrite-all', 'true')";
    return this.query(
      `CALL glue.system.rewrite_data_files(table => '${database}.${lake.name}', ${options})`,
    );
  }

  async expire(lake: EngineLake): Promise<unknown> {
    const end = "older_than => TIMESTAMP '2100-01-01 00:00:00', retain_last => 1";
    return this.query(
      `CALL glue.system.expire_snapshots(table => '${database}.${lake.name}', ${end})`,
    );
  }

  rows(lake: EngineLake, at?: At): Promise<EngineAnswer> {
    const table = `${database}.${lake.name}`;
    if (at === undefined) return this.query(`SELECT * FROM ${table}`);
    if ('snapshotId' in at) {
      return this.query(`SELECT * FROM ${table} VERSION AS OF ${at.snapshotId}`);
    }
    const time = new Date(at.ms).toISOString().replace('T', ' ').replace('Z', '');
    return this.query(`SELECT * FROM ${table} TIMESTAMP AS OF '${time}'`);
  }

  async counts(lake: EngineLake, predicates: readonly Predicate[]): Promise<readonly number[]> {
    const dialect = { quote: '`', text: (hex: string) => `CAST(X'${hex}' AS STRING)` } as const;
    const table = `${database}.${lake.name}`;
    const counts: number[] = [];
    for (let start = 0; start < predicates.length; start += predicatesMax) {
      const parts = predicates
        .slice(start, start + predicatesMax)
        .map((one, i) => `SELECT ${i}, count(*) FROM ${table} WHERE ${sqlOf(one, dialect)}`);
      const { columns, rows } = await this.query(`${parts.join(' UNION ALL ')} ORDER BY 1`);
      counts.push(...rows.map((row) => Number(row.get(columns[1]!))));
    }
    return counts;
  }

  close(): Promise<void> {
    return this.#server.close();
  }
}
