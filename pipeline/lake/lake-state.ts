// What Tidelake knows of a lake table, kept in the table's own properties: watermark, epoch, key, gaps.
// Promises: write then read gives the state back. There is no other state anywhere, so it moves with the data in one
// commit. Whether it may still be believed is asked in watermark.ts.
import type { KeyAttribute } from '../../schemas/attribute.js';
import { refuse } from '../../schemas/errors.js';
import type { TableMetadata } from '../../schemas/iceberg.js';
import { formatVersion } from '../../schemas/limits.js';
import type { JsonObject, JsonValue } from './iceberg/json.js';
import { parseJson, stringifyJson } from './iceberg/json.js';

/** A stretch of time the table does not know, accepted by a person: a gap between windows, or a full export's seam. */
export interface LakeGap {
  readonly fromMs: number;
  readonly toMs: number;
  readonly kind: 'gap' | 'seam';
}

/** Facts of the snapshot that set the watermark. They stand in a property, since a snapshot may expire. */
export interface WatermarkFacts {
  readonly sequenceNumber: number;
  /** The table's schema then: the columns that the rows are to be read with. */
  readonly schemaId: number;
  /** Live rows, deleted positions not counted. */
  readonly rows: number;
  /** Live rows with a misfit; null: nobody counted. */
  readonly misfitRows: number | null;
}

/** A person's word that the rows of another writer's snapshot stand for an instant. */
export interface Adoption {
  readonly snapshotId: bigint;
  readonly watermarkMs: number;
  /** When it was said, by the clock. */
  readonly atMs: number;
}

export interface LakeState {
  /** Counts full loads, from 1. */
  readonly epoch: number;
  readonly tableId: string;
  readonly tableArn: string;
  /** The table equals the DynamoDB table up to this instant, exclusive; ms since the epoch. */
  readonly watermarkMs: number;
  /** The snapshot that set the watermark. */
  readonly watermarkSnapshot: bigint;
  /** Partition key first. */
  readonly key: readonly KeyAttribute[];
  /** The map from columns to attributes, as JSON text; its form belongs to the code that builds columns. */
  readonly columns: string;
  readonly gaps: readonly LakeGap[];
  /** What was true of the snapshot that set the watermark; null in tables of earlier versions. */
  readonly facts: WatermarkFacts | null;
  /** Snapshots of others that a person declared to stand for an instant, oldest first; emptied by the next load. */
  readonly adopted: readonly Adoption[];
  /** The full export the epoch began with. */
  readonly baseline: { readonly exportArn: string; readonly exportTimeMs: number };
}

const prefix = 'tidelake.';

/** The properties that say a state. Instants are ISO with milliseconds and Z. */
export function writeLakeState(state: LakeState): Record<string, string> {
  return {
    'tidelake.format': String(formatVersion),
    'tidelake.table-id': state.tableId,
    'tidelake.table-arn': state.tableArn,
    'tidelake.epoch': String(state.epoch),
    'tidelake.watermark': formatInstant(state.watermarkMs),
    'tidelake.watermark-snapshot': String(state.watermarkSnapshot),
    'tidelake.key': stringifyJson(state.key.map(({ name, tag }) => ({ name, tag }))),
    'tidelake.columns': state.columns,
    'tidelake.gaps': stringifyJson(
      state.gaps.map((gap) => ({
        from: formatInstant(gap.fromMs),
        to: formatInstant(gap.toMs),
        kind: gap.kind,
      })),
    ),
    ...(state.facts === null ? {} : factsProperty(state.facts)),
    'tidelake.adopted': stringifyJson(
      state.adopted.map((one) => ({
        snapshot: String(one.snapshotId),
        watermark: formatInstant(one.watermarkMs),
        at: formatInstant(one.atMs),
      })),
    ),
    'tidelake.baseline': stringifyJson({
      exportArn: state.baseline.exportArn,
      exportTime: formatInstant(state.baseline.exportTimeMs),
    }),
  };
}

/** The property that keeps the facts of the watermark's snapshot. */
export function factsProperty(facts: WatermarkFacts): Record<string, string> {
  const { sequenceNumber, schemaId, rows, misfitRows } = facts;
  return {
    'tidelake.watermark-facts': stringifyJson({
      sequence: sequenceNumber,
      schema: schemaId,
      rows,
      ...(misfitRows === null ? {} : { misfits: misfitRows }),
    }),
  };
}

/** Reads the state from a table's properties. Throws REFUSED_FOREIGN_WRITER for a table that is not Tidelake's,
 *  REFUSED_NEWER_FORMAT for one of a later version, REFUSED_FORMAT for broken properties. */
export function readLakeState(md: Pick<TableMetadata, 'properties' | 'location'>): LakeState {
  const { properties } = md;
  if (!Object.keys(properties).some((name) => name.startsWith(prefix))) {
    throw refuse(
      'REFUSED_FOREIGN_WRITER',
      `the table at ${md.location} was not made by Tidelake`,
      'it has no watermark, so nobody can say which changes it holds; nothing was changed',
      'tidelake load EXPORT --table NAME, with a name that is not in use',
    );
  }
  const format = wholeNumber(properties, 'tidelake.format');
  if (format > formatVersion) {
    throw refuse(
      'REFUSED_NEWER_FORMAT',
      `the table has Tidelake format ${format}; this version knows formats up to ${formatVersion}`,
      'a newer Tidelake wrote it, and its rules are not known here; nothing was changed',
      'use the newer version of Tidelake that wrote it',
    );
  }
  const baseline = objectOf(parsed(properties, 'tidelake.baseline'), 'tidelake.baseline');
  return {
    epoch: wholeNumber(properties, 'tidelake.epoch'),
    tableId: textOf(properties['tidelake.table-id'], 'tidelake.table-id'),
    tableArn: textOf(properties['tidelake.table-arn'], 'tidelake.table-arn'),
    watermarkMs: instantOf(properties['tidelake.watermark'], 'tidelake.watermark'),
    watermarkSnapshot: idOf(
      properties['tidelake.watermark-snapshot'],
      'tidelake.watermark-snapshot',
    ),
    key: listOf(parsed(properties, 'tidelake.key'), 'tidelake.key').map(readKeyAttribute),
    columns: properties['tidelake.columns'] ?? '',
    gaps: listOf(parsed(properties, 'tidelake.gaps', []), 'tidelake.gaps').map(readGap),
    facts: readFacts(parsed(properties, 'tidelake.watermark-facts', null)),
    adopted: readAdopted(properties),
    baseline: {
      exportArn: textOf(baseline.exportArn, 'tidelake.baseline'),
      exportTimeMs: instantOf(baseline.exportTime, 'tidelake.baseline'),
    },
  };
}

/** An instant as properties and summaries have it: `2026-01-31T09:00:00.000Z`. */
export function formatInstant(ms: number): string {
  return new Date(ms).toISOString();
}

/** The inverse of formatInstant; null when the text is not such an instant. */
export function parseInstant(text: string): number | null {
  if (!/^[+-]?\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/.test(text)) return null;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : ms;
}

function readKeyAttribute(value: JsonValue): KeyAttribute {
  const { name, tag } = objectOf(value, 'tidelake.key');
  if (tag !== 'S' && tag !== 'N' && tag !== 'B') throw broken('tidelake.key');
  return { name: textOf(name, 'tidelake.key'), tag };
}

function readGap(value: JsonValue): LakeGap {
  const gap = objectOf(value, 'tidelake.gaps');
  const kind = gap.kind;
  if (kind !== 'gap' && kind !== 'seam') throw broken('tidelake.gaps');
  return {
    fromMs: instantOf(gap.from, 'tidelake.gaps'),
    toMs: instantOf(gap.to, 'tidelake.gaps'),
    kind,
  };
}

function readFacts(value: JsonValue): WatermarkFacts | null {
  if (value === null) return null;
  const name = 'tidelake.watermark-facts';
  const { sequence, schema, rows, misfits } = objectOf(value, name);
  const isCount = (one: unknown): one is number =>
    Number.isSafeInteger(one) && (one as number) >= 0;
  if (!isCount(sequence) || !isCount(schema) || !isCount(rows)) throw broken(name);
  if (misfits !== undefined && !isCount(misfits)) throw broken(name);
  return { sequenceNumber: sequence, schemaId: schema, rows, misfitRows: misfits ?? null };
}

/** The adoptions of a table, oldest first. Throws REFUSED_FORMAT for broken ones. */
export function readAdopted(properties: TableMetadata['properties']): readonly Adoption[] {
  return listOf(parsed(properties, 'tidelake.adopted', []), 'tidelake.adopted').map(readAdoption);
}

function readAdoption(value: JsonValue): Adoption {
  const name = 'tidelake.adopted';
  const one = objectOf(value, name);
  return {
    snapshotId: idOf(one.snapshot, name),
    watermarkMs: instantOf(one.watermark, name),
    atMs: instantOf(one.at, name),
  };
}

function parsed(
  properties: Readonly<Record<string, string>>,
  name: string,
  fallback?: JsonValue,
): JsonValue {
  const text = properties[name];
  if (text === undefined && fallback !== undefined) return fallback;
  return parseJson(textOf(text, name));
}

function objectOf(value: JsonValue, name: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw broken(name);
  return value as JsonObject;
}

function listOf(value: JsonValue, name: string): readonly JsonValue[] {
  if (!Array.isArray(value)) throw broken(name);
  return value as readonly JsonValue[];
}

function textOf(value: unknown, name: string): string {
  if (typeof value !== 'string') throw broken(name);
  return value;
}

function wholeNumber(properties: Readonly<Record<string, string>>, name: string): number {
  const text = textOf(properties[name], name);
  if (!/^\d{1,15}$/.test(text)) throw broken(name);
  return Number(text);
}

function idOf(value: unknown, name: string): bigint {
  const text = textOf(value, name);
  if (!/^\d{1,19}$/.test(text)) throw broken(name);
  return BigInt(text);
}

function instantOf(value: unknown, name: string): number {
  const ms = parseInstant(textOf(value, name));
  if (ms === null) throw broken(name);
  return ms;
}

function broken(name: string): Error {
  return refuse(
    'REFUSED_FORMAT',
    `the table property ${name} is missing or broken`,
    'the state of the table cannot be read; nothing was changed',
    'restore the property from an older metadata file, or tidelake load a new full export',
  );
}
