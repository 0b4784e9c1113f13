// Time travel as Athena and Trino write it, for DuckDB: `t FOR TIMESTAMP AS OF TIMESTAMP '… UTC'` and
// `t FOR VERSION AS OF 123` become names of views.
// Promises: the snapshot is the one Iceberg's readers choose, the newest of the table's history at or before the instant;
// strings and comments are left alone. Spec: Amazon Athena User Guide, "Perform time travel and version travel queries";
// apache/iceberg, SnapshotUtil.snapshotIdAsOfTime.

import { refuse, TidelakeError } from '../../schemas/errors.js';
import type { Snapshot, TableMetadata } from '../../schemas/iceberg.js';
import { snapshotById } from '../lake/iceberg/metadata.js';
import { sqlPieces } from './sql-text.js';

/** A table at a constant time or version, as SQL has it. */
export interface Travel {
  /** Where it stands in the SQL. */
  readonly start: number;
  readonly end: number;
  /** Name of the table, in lower case; its database, when the SQL names one. */
  readonly table: string;
  readonly database: string | null;
  readonly to: { readonly atMs: number } | { readonly snapshotId: bigint };
}

const name = '(?:"(?:[^"]|"")+"|[A-Za-z_][A-Za-z0-9_]*)';
const travelForm = new RegExp(
  `(?:(?:(${name})\\s*\\.\\s*)?(${name})\\s*\\.\\s*)?(${name})\\s+FOR\\s+(TIMESTAMP|VERSION)\\s+AS\\s+OF\\s+`,
  'gi',
);

/** The time travels of SQL. Throws USAGE for one whose time is no constant in UTC. */
export function travelsIn(sql: string): readonly Travel[] {
  const masked = withoutTexts(sql);
  return [...masked.matchAll(travelForm)].map((found) => {
    const [whole, , database, table, kind] = found;
    const at = found.index + whole.length;
    const rest = sql.slice(at);
    const { to, length } = kind!.toUpperCase() === 'VERSION' ? version(rest) : instant(rest);
    return {
      start: found.index,
      end: at + length,
      table: plain(table!),
      database: database === undefined ? null : plain(database),
      to,
    };
  });
}

/** SQL with comments and the contents of strings blanked out, every character at its place. */
export function withoutTexts(sql: string): string {
  return sqlPieces(sql)
    .map(({ isCode, text }) => (isCode || text.startsWith('"') ? text : text.replace(/./gs, ' ')))
    .join('');
}

function plain(quoted: string): string {
  const text = quoted.startsWith('"') ? quoted.slice(1, -1).replaceAll('""', '"') : quoted;
  return text.toLowerCase();
}

function version(rest: string): { readonly to: Travel['to']; readonly length: number } {
  const found = /^(?:BIGINT\s*'(\d{1,19})'|(\d{1,19})(?![\w.]))/i.exec(rest);
  if (found === null) throw notConstant('a snapshot id');
  return { to: { snapshotId: BigInt(found[1] ?? found[2]!) }, length: found[0].length };
}

const instantForm =
  /^TIMESTAMP\s*'(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}(?::\d{2})?)(\.\d{1,12})?\s*(?:UTC|Z)?'/i;

function instant(rest: string): { readonly to: Travel['to']; readonly length: number } {
  const opened = /^\(\s*/.exec(rest)?.[0] ?? '';
  const found = instantForm.exec(rest.slice(opened.length));
  const [whole = '', day, time, fraction = ''] = found ?? [];
  let length = opened.length + whole.length;
  const closed = /^\s*\)/.exec(rest.slice(length));
  if (opened !== '') length += closed?.[0].length ?? 0;
  const atMs = Date.parse(`${day}T${time}${fraction.slice(0, 4)}Z`);
  if (found === null || (opened !== '' && closed === null) || Number.isNaN(atMs)) {
    throw notConstant("TIMESTAMP '2026-11-20 09:00:00 UTC'");
  }
  return { to: { atMs }, length };
}

function notConstant(wanted: string): TidelakeError {
  return new TidelakeError({
    code: 'USAGE',
    what: `the time travel names no constant: ${wanted} is expected`,
    meaning: 'the query was not run',
    next: 'write the instant in UTC, or use --as-of',
  });
}

/** SQL in which each time travel is the name that `nameOf` gives; what had no alias keeps the table's name as one. */
export function replaceTravels(
  sql: string,
  travels: readonly Travel[],
  nameOf: (travel: Travel) => string,
): string {
  let text = '';
  let at = 0;
  for (const travel of travels) {
    const rest = withoutTexts(sql.slice(travel.end));
    const hasAlias =
      /^\s+(?:AS\b|"|(?!(?:WHERE|GROUP|ORDER|HAVING|LIMIT|OFFSET|FETCH|UNION|EXCEPT|INTERSECT|JOIN|LEFT|RIGHT|FULL|INNER|CROSS|NATURAL|ON|USING|WINDOW|TABLESAMPLE)\b)[A-Za-z_])/i.test(
        rest,
      );
    const alias = hasAlias ? '' : ` AS "${travel.table}"`;
    text += `${sql.slice(at, travel.start)}${nameOf(travel)}${alias}`;
    at = travel.end;
  }
  return text + sql.slice(at);
}

/** The snapshot that Iceberg's readers answer a time travel with. Throws REFUSED_AS_OF when there is none. */
export function travelSnapshot(md: TableMetadata, travel: Travel): Snapshot {
  const { to } = travel;
  if ('snapshotId' in to) {
    const snapshot = snapshotById(md, to.snapshotId);
    if (snapshot !== null) return snapshot;
    throw noSnapshot(travel, `no snapshot ${to.snapshotId}`);
  }
  let found: { readonly 'timestamp-ms': number; readonly 'snapshot-id': bigint } | null = null;
  for (const entry of md['snapshot-log']) {
    if (entry['timestamp-ms'] > to.atMs) continue;
    if (found === null || entry['timestamp-ms'] >= found['timestamp-ms']) found = entry;
  }
  const snapshot = found === null ? null : snapshotById(md, found['snapshot-id']);
  if (snapshot !== null) return snapshot;
  throw noSnapshot(travel, `no snapshot of ${new Date(to.atMs).toISOString()} or earlier`);
}

function noSnapshot(travel: Travel, what: string): TidelakeError {
  return refuse(
    'REFUSED_AS_OF',
    `${travel.table} has ${what}`,
    'older snapshots were expired or never were; no rows were read',
    'tidelake log, to see the snapshots',
  );
}
