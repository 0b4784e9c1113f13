// A Trino of this machine, asked over its statement protocol.
// Promises: values come exactly (numbers are never JavaScript numbers); a failed statement throws Trino's own words.
// Source: https://trino.io/docs/current/develop/client-protocol.html ; without the client capability PARAMETRIC_DATETIME
// a timestamp loses its microseconds.

import { join } from 'node:path';
import { database } from '../../scenarios/story-world.js';
import { Child, freePort } from './child.js';
import type { AwsEndpoint } from './endpoint.js';
import type { At } from './engine.js';
import { type EngineName, enginePlace } from './engines.js';
import type { EngineLake } from './lakes.js';
import { type Predicate, sqlOf } from './predicates.js';
import type { EngineAnswer, EngineValue } from './values.js';
import type { WritingEngine } from './write-suite.js';

const server = join(import.meta.dirname, '..', 'trino', 'TrinoServer.java');

/** A type as the protocol tells it. */
interface TypeSignature {
  readonly rawType: string;
  readonly arguments: readonly { readonly kind: string; readonly value: unknown }[];
}

interface StatementAnswer {
  readonly nextUri?: string;
  readonly columns?: readonly { readonly name: string; readonly typeSignature: TypeSignature }[];
  readonly data?: readonly (readonly unknown[])[];
  readonly error?: { readonly errorName: string; readonly message: string };
}

/** A statement that Trino did not run. */
export class TrinoError extends Error {
  /** Trino's name of the error, e.g. COLUMN_NOT_FOUND. */
  readonly errorName: string;
  constructor(errorName: string, message: string) {
    super(`${errorName}: ${message}`);
    this.errorName = errorName;
  }
}

/** Predicates asked in one statement. */
const predicatesMax = 20;
/** Statistics for the order of joins, which cost much in tables of a thousand columns; files are pruned all the same. */
const noStatistics = { 'iceberg.statistics_enabled': 'false' };

export class Trino implements WritingEngine {
  readonly textType = 'varchar';
  readonly keepsExpired = true;
  readonly #child: Child;
  readonly url: string;

  private constructor(child: Child, url: string) {
    this.#child = child;
    this.url = url;
  }

  /** Starts a Trino whose catalog `iceberg` is the Glue and S3 of an endpoint. */
  static async start(name: EngineName, endpoint: AwsEndpoint): Promise<Trino> {
    const place = enginePlace(name);
    const port = await freePort();
    const vectors = name === 'trino-406' ? [] : ['--add-modules', 'jdk.incubator.vector'];
    const child = await Child.start({
      name,
      program: join(place.java!, 'bin', 'java'),
      args: [
        ...[
          '-cp',
          place.classpath!,
          '-Xmx1200m',
          '-XX:+UseSerialGC',
          '-XX:TieredStopAtLevel=1',
          '-Duser.timezone=UTC',
          ...vectors,
        ],
        ...['--add-opens', 'java.base/java.nio=ALL-UNNAMED'],
        ...['--add-opens', 'java.base/java.lang=ALL-UNNAMED'],
        ...[server, String(port), ...catalogOf(name, endpoint)],
      ],
      isReady: (printed) => printed.includes('READY http'),
    });
    return new Trino(child, `http://127.0.0.1:${port}`);
  }

  /** Runs one statement in a schema of the catalog, with session properties if any. */
  async query(
    sql: string,
    schema = database,
    session: Readonly<Record<string, string>> = {},
  ): Promise<EngineAnswer> {
    const properties = Object.entries(session).map(([name, value]) => `${name}=${value}`);
    let answer = await this.#request(`${this.url}/v1/statement`, {
      method: 'POST',
      body: sql,
      headers: {
        'X-Trino-User': 'test',
        'X-Trino-Catalog': 'iceberg',
        'X-Trino-Schema': schema,
        'X-Trino-Client-Capabilities': 'PARAMETRIC_DATETIME',
        ...(properties.length === 0 ? {} : { 'X-Trino-Session': properties.join(',') }),
      },
    });
    let columns: StatementAnswer['columns'];
    const data: (readonly unknown[])[] = [];
    for (;;) {
      if (answer.error !== undefined) {
        throw new TrinoError(answer.error.errorName, answer.error.message);
      }
      columns ??= answer.columns;
      data.push(...(answer.data ?? []));
      if (answer.nextUri === undefined) break;
      answer = await this.#request(answer.nextUri, { headers: { 'X-Trino-User': 'test' } });
    }
    const named = columns ?? [];
    return {
      columns: named.map(({ name }) => name),
      rows: data.map(
        (row) =>
          new Map(
            named.map(({ name, typeSignature }, i) => [name, exactValue(row[i], typeSignature)]),
          ),
      ),
    };
  }

  rows(lake: EngineLake, at?: At): Promise<EngineAnswer> {
    if (at === undefined) return this.query(`SELECT * FROM ${lake.name}`);
    if ('snapshotId' in at) {
      return this.query(`SELECT * FROM ${lake.name} FOR VERSION AS OF ${at.snapshotId}`);
    }
    const time = new Date(at.ms).toISOString().replace('T', ' ').replace('Z', ' UTC');
    return this.query(`SELECT * FROM ${lake.name} FOR TIMESTAMP AS OF TIMESTAMP '${time}'`);
  }

  async counts(lake: EngineLake, predicates: readonly Predicate[]): Promise<readonly number[]> {
    const dialect = { quote: '"', text: (hex: string) => `from_utf8(X'${hex}')` } as const;
    const counts: number[] = [];
    for (let start = 0; start < predicates.length; start += predicatesMax) {
      const parts = predicates
        .slice(start, start + predicatesMax)
        .map((one, i) => `SELECT ${i}, count(*) FROM ${lake.name} WHERE ${sqlOf(one, dialect)}`);
      const sql = `${parts.join(' UNION ALL ')} ORDER BY 1`;
      const { columns, rows } = await this.query(sql, database, noStatistics);
      counts.push(...rows.map((row) => Number(row.get(columns[1]!))));
    }
    return counts;
  }

  run(sql: string): Promise<unknown> {
    return this.query(sql);
  }

  compact(lake: EngineLake): Promise<unknown> {
    return this.query(`ALTER TABLE ${lake.name} EXECUTE optimize`);
  }

  expire(lake: EngineLake): Promise<unknown> {
    return this.query(
      `ALTER TABLE ${lake.name} EXECUTE expire_snapshots(retention_threshold => '0s')`,
    );
  }

  close(): Promise<void> {
    return this.#child.stop();
  }

  async #request(url: string, init: RequestInit): Promise<StatementAnswer> {
    for (;;) {
      const response = await fetch(url, init);
      const text = await response.text();
      if (response.ok) return JSON.parse(exactNumbers(text)) as StatementAnswer;
      // 502, 503 and 504 ask the client to come again; everything else is an end.
      if (response.status < 502 || response.status > 504) {
        throw new Error(`Trino answers ${response.status}: ${text.slice(0, 500)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** JSON with its numbers as strings, so that none is rounded. Strings are skipped whole. */
function exactNumbers(json: string): string {
  return json.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token) =>
    token.startsWith('"') ? token : `"${token}"`,
  );
}

function exactValue(raw: unknown, type: TypeSignature): EngineValue {
  if (raw === null || raw === undefined) return null;
  switch (type.rawType) {
    case 'array': {
      const element = type.arguments[0]!.value as TypeSignature;
      return (raw as unknown[]).map((one) => exactValue(one, element));
    }
    case 'map': {
      const value = type.arguments[1]!.value as TypeSignature;
      return new Map(
        Object.entries(raw as object).map(([key, one]) => [key, exactValue(one, value)]),
      );
    }
    case 'row':
      return new Map(
        type.arguments.map(({ value }, i) => {
          const field = value as {
            readonly fieldName: { readonly name: string };
            readonly typeSignature: TypeSignature;
          };
          return [field.fieldName.name, exactValue((raw as unknown[])[i], field.typeSignature)];
        }),
      );
    case 'timestamp':
      return String(raw).replace(' ', 'T');
    case 'boolean':
      return raw as boolean;
    default:
      return String(raw);
  }
}

/** Properties of the Iceberg connector; the file system has other names since Trino has its own. */
function catalogOf(name: EngineName, endpoint: AwsEndpoint): readonly string[] {
  const { url, region, accessKeyId, secretAccessKey } = endpoint;
  const glue = [
    'iceberg.catalog.type=glue',
    `hive.metastore.glue.endpoint-url=${url}`,
    `hive.metastore.glue.region=${region}`,
    `hive.metastore.glue.aws-access-key=${accessKeyId}`,
    `hive.metastore.glue.aws-secret-key=${secretAccessKey}`,
    // Snapshots bear the time of their data, so the shortest retention that may be asked for has to be none.
    `iceberg.${name === 'trino-406' ? 'expire_snapshots' : 'expire-snapshots'}.min-retention=0s`,
  ];
  if (name === 'trino-406') {
    return [
      ...glue,
      `hive.s3.endpoint=${url}`,
      'hive.s3.path-style-access=true',
      'hive.s3.ssl.enabled=false',
      `hive.s3.aws-access-key=${accessKeyId}`,
      `hive.s3.aws-secret-key=${secretAccessKey}`,
    ];
  }
  return [
    ...glue,
    'fs.s3.enabled=true',
    `s3.endpoint=${url}`,
    `s3.region=${region}`,
    's3.path-style-access=true',
    `s3.aws-access-key=${accessKeyId}`,
    `s3.aws-secret-key=${secretAccessKey}`,
  ];
}
