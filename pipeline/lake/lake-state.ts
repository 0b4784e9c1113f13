// What Tidelake knows of a lake table, kept in the table's own properties: watermark, epoch, key, gaps.
// Promises: write then read gives the state back; a state that another writer has overtaken is refused, not believed.
// There is no other state anywhere, so it moves with the data in one commit.
import type { KeyAttribute } from '../../schemas/attribute.js';
import { refuse } from '../../schemas/errors.js';
import type { TableMetadata } from '../../schemas/iceberg.js';
import { formatVersion } from '../../schemas/limits.js';
import type { JsonObject, JsonValue } from './iceberg/json.js';
import { parseJson, stringifyJson } from './iceberg/json.js';
import { snapshotById } from './iceberg/metadata.js';

/** A stretch of time the table does not know, accepted by a person: a gap between windows, or a full export's seam. */
export interface LakeGap {
  readonly fromMs: number;
  readonly toMs: number;
  readonly kind: 'gap' | 'seam';
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
    'tidelake.baseline': stringifyJson({
      exportArn: state.baseline.exportArn,
      exportTime: formatInstant(state.baseline.exportTimeMs),
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
    baseline: {
      exportArn: textOf(baseline.exportArn, 'tidelake.baseline'),
      exportTimeMs: instantOf(baseline.exportTime, 'tidelake.baseline'),
    },
  };
}

/** Whether the watermark speaks of the current snapshot: it is the one that set it, or only `replace` snapshots,
 *  which keep all rows, came after. */
export function isWatermarkCurrent(
  md: TableMetadata,
  state: Pick<LakeState, 'watermarkSnapshot'>,
): boolean {
  let id: bigint | null = md['current-snapshot-id'];
  // As many steps as there are snapshots, so that a ring of parents ends too.
  for (let steps = 0; steps <= md.snapshots.length; steps++) {
    if (id === state.watermarkSnapshot) return true;
    const snapshot = snapshotById(md, id);
    if (snapshot === null || snapshot.summary.operation !== 'replace') return false;
    id = snapshot['parent-snapshot-id'] ?? null;
  }
  return false;
}

/** Refuses a table whose rows somebody else has changed since the watermark was set. Throws REFUSED_FOREIGN_WRITER. */
export function checkWriter(md: TableMetadata, state: LakeState): void {
  if (isWatermarkCurrent(md, state)) return;
  const current = snapshotById(md, md['current-snapshot-id']);
  const operation = current?.summary.operation;
  throw refuse(
    'REFUSED_FOREIGN_WRITER',
    `the table at ${md.location} was changed by another program: its current snapshot ${md['current-snapshot-id'] ?? 'none'}` +
      `${operation === undefined ? '' : ` (${operation.slice(0, 20)})`} does not follow snapshot ${state.watermarkSnapshot}, ` +
      `which set the watermark ${formatInstant(state.watermarkMs)}, by row-preserving steps only`,
    'nobody can say any more which instant the rows stand for; nothing was changed',
    'tidelake load a new full export; tidelake log shows the foreign snapshot',
  );
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
