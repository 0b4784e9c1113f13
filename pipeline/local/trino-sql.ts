// The simulated Athena's SQL on a Trino, as Athena's own is one: asked over Trino's protocol for clients.
// Promises: SQL goes as it stands, a literal in place of each `?`; digits stay as Trino sent them; what Trino refuses fails in
// Trino's words. Source: https://trino.io/docs/current/develop/client-protocol.html ; without the client capability
// PARAMETRIC_DATETIME a timestamp would lose its microseconds.

import { setTimeout as sleep } from 'node:timers/promises';
import { TidelakeError } from '../../schemas/errors.js';
import { type JsonValue, parseJson } from '../lake/iceberg/json.js';
import { type RunSql, resultRowsMax, type SqlAnswer } from '../simulator/aws/athena-executions.js';
import { withLiterals } from '../simulator/aws/athena-sql.js';

/** What Athena calls its catalog of Glue's tables. */
const catalogDefault = 'awsdatacatalog';
/** Answers read of one statement; Trino holds each back for up to a second while it works. */
const answersMax = 100_000;
/** Silence of Trino in ms after which a request has failed. */
const answerMsMax = 60_000;

/** A type as the protocol tells it. */
interface TypeSignature {
  readonly rawType: string;
  readonly arguments: readonly { readonly kind: string; readonly value: JsonValue | object }[];
}

interface StatementAnswer {
  readonly nextUri?: string;
  readonly columns?: readonly {
    readonly name: string;
    readonly type: string;
    readonly typeSignature: TypeSignature;
  }[];
  readonly data?: readonly (readonly JsonValue[])[];
  readonly error?: { readonly errorName: string; readonly message: string };
}

/**
 * SQL on the Trino at `http://host:port`, or `http://host:port/catalog` where the catalog of Glue's tables is not called
 * awsdatacatalog. Throws USAGE for another form of URL.
 */
export function trinoSql(place: string): RunSql {
  const { url, catalog } = parsedPlace(place);
  return async (sql, parameters, database): Promise<SqlAnswer> => {
    let answer = await ask(`${url}/v1/statement`, {
      method: 'POST',
      body: withLiterals(sql, parameters),
      headers: {
        ...asTidelake,
        'X-Trino-Catalog': catalog,
        'X-Trino-Schema': database ?? 'default',
        'X-Trino-Client-Capabilities': 'PARAMETRIC_DATETIME',
        'X-Trino-Time-Zone': 'UTC',
      },
    });
    let columns: StatementAnswer['columns'];
    const rows: (readonly (string | null)[])[] = [];
    for (let answers = 1; ; answers++) {
      if (answer.error !== undefined) {
        throw new Error(`${answer.error.errorName}: ${answer.error.message}`);
      }
      columns ??= answer.columns;
      for (const row of answer.data ?? []) {
        rows.push(row.map((value, i) => topText(value, columns![i]!.typeSignature)));
      }
      if (answer.nextUri === undefined) break;
      if (rows.length > resultRowsMax || answers === answersMax) {
        await fetch(answer.nextUri, { method: 'DELETE', headers: asTidelake });
        break;
      }
      answer = await ask(answer.nextUri, { headers: asTidelake });
    }
    return { columns: (columns ?? []).map(({ name, type }) => ({ name, type })), rows };
  };
}

const asTidelake = { 'X-Trino-User': 'tidelake' } as const;

function parsedPlace(place: string): { readonly url: string; readonly catalog: string } {
  const found = /^(https?:\/\/[^/?#\s]+)(?:\/([A-Za-z0-9_]+))?\/?$/.exec(place);
  if (found !== null) return { url: found[1]!, catalog: found[2] ?? catalogDefault };
  throw new TidelakeError({
    code: 'USAGE',
    what: `${place} is no address of a Trino`,
    meaning: 'nothing was started',
    next: 'name it as http://HOST:PORT or http://HOST:PORT/CATALOG',
  });
}

/** One request; 502, 503 and 504 ask the client to come again. */
async function ask(url: string, init: RequestInit): Promise<StatementAnswer> {
  for (let tries = 1; ; tries++) {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(answerMsMax) });
    const text = await response.text();
    if (response.ok) return parseJson(text) as unknown as StatementAnswer;
    if (response.status < 502 || response.status > 504 || tries === 100) {
      throw new Error(`GENERIC_INTERNAL_ERROR: Trino answers with status ${response.status}`);
    }
    await sleep(100);
  }
}

/** A value in a row of an answer, as Athena writes it: binary as pairs of hexadecimal digits. */
function topText(value: JsonValue, type: TypeSignature): string | null {
  if (value === null) return null;
  if (type.rawType === 'varbinary' && typeof value === 'string') {
    return (Buffer.from(value, 'base64').toString('hex').match(/../g) ?? []).join(' ');
  }
  return valueText(value, type);
}

/** Lists as `[a, b]`, rows and maps as `{name=value}`, without quotes, as Athena writes them. */
function valueText(value: JsonValue, type: TypeSignature): string {
  if (value === null) return 'null';
  if (type.rawType === 'array') {
    const element = type.arguments[0]!.value as TypeSignature;
    return `[${(value as readonly JsonValue[]).map((one) => valueText(one, element)).join(', ')}]`;
  }
  if (type.rawType === 'map') {
    const of = type.arguments[1]!.value as TypeSignature;
    const entries = Object.entries(value as object) as [string, JsonValue][];
    return `{${entries.map(([key, one]) => `${key}=${valueText(one, of)}`).join(', ')}}`;
  }
  if (type.rawType === 'row') {
    const fields = type.arguments.map(({ value: field }, i) => {
      const { fieldName, typeSignature } = field as {
        readonly fieldName: { readonly name: string };
        readonly typeSignature: TypeSignature;
      };
      const one = (value as readonly JsonValue[])[i] ?? null;
      return `${fieldName.name}=${valueText(one, typeSignature)}`;
    });
    return `{${fields.join(', ')}}`;
  }
  return String(value);
}
