// SQL that reads a lake table at a snapshot: the live files by field id, minus the deleted positions.
// Promises: renamed, added and retyped columns read right, a file without a column gives NULL, no deleted row is seen.
// Spec: apache/iceberg format/spec.md, "Column Projection", "Position Delete Files"; DuckDB documentation, "Parquet" (schema).

import type { IcebergSchema } from '../../schemas/iceberg.js';
import { duckdbType } from './duckdb-types.js';
import { type NamedNode, renamed, typeInFile } from './nested-names.js';
import { quoteName, quoteText, quoteTexts } from './sql-text.js';

/** A live data file, and the position delete files that apply to it. */
export interface ViewFile {
  /** The file's URI as its manifest has it: delete files name data files so. */
  readonly recordedUri: string;
  /** Path on this machine where the file can be read. DuckDB takes a path that exists as it is, glob characters and all (1.5.6). */
  readonly path: string;
  /** Paths of its delete files. */
  readonly deletePaths: readonly string[];
  /** The file's own columns, when nested names in it cannot be trusted; null: they can. */
  readonly columns: readonly NamedNode[] | null;
  /** Files of the same group have the same nested names; any number or text. */
  readonly group: string;
}

/** Extra columns of a select, for those who look at files. */
export const fileColumn = 'tl_file';
export const positionColumn = 'tl_position';

/** How a column of a file is called inside a select: by its field id. */
export const columnName: RegExp = /\bf(\d+)\b/g;

export interface SelectOptions {
  readonly schema: IcebergSchema;
  readonly files: readonly ViewFile[];
  /** Adds `tl_file` (the path as DuckDB has it) and `tl_position` (the row's place in the file). */
  readonly withPosition?: boolean;
}

/**
 * A SELECT that gives the rows of the files under the schema's column names and types. No files give no rows, with the
 * same columns.
 */
export function tableSelect(options: SelectOptions): string {
  const groups = new Map<string, ViewFile[]>();
  for (const file of options.files) {
    const name = `${file.deletePaths.length > 0 ? 'd' : 'p'} ${file.group}`;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [file]);
    else group.push(file);
  }
  if (groups.size === 0) return emptySelect(options);
  return [...groups.values()].map((files) => groupSelect(options, files)).join('\nUNION ALL\n');
}

function emptySelect(options: SelectOptions): string {
  const columns = options.schema.fields.map(
    (field) => `NULL::${duckdbType(field.type)} AS ${quoteName(field.name)}`,
  );
  if (options.withPosition === true) {
    columns.push(`NULL::VARCHAR AS ${fileColumn}`, `NULL::BIGINT AS ${positionColumn}`);
  }
  return `SELECT ${columns.join(', ')} WHERE false`;
}

/** Files that are read alike: all with deletes, or all without, and with the same nested names. */
function groupSelect(options: SelectOptions, files: readonly ViewFile[]): string {
  const nodes = new Map<number, NamedNode>();
  for (const node of files[0]!.columns ?? []) {
    if (node.fieldId !== null) nodes.set(node.fieldId, node);
  }
  const nodeOf = (id: number): NamedNode | null => nodes.get(id) ?? null;
  const types = options.schema.fields.map(
    (field) =>
      `${field.id}: {name: 'f${field.id}', type: ${quoteText(typeInFile(field.type, nodeOf(field.id)))}, default_value: NULL}`,
  );
  const columns = options.schema.fields.map(
    (field) =>
      `${renamed(`d.f${field.id}`, field.type, nodeOf(field.id))} AS ${quoteName(field.name)}`,
  );
  const hasDeletes = files[0]!.deletePaths.length > 0;
  const withFile = hasDeletes || options.withPosition === true;
  if (options.withPosition === true) {
    columns.push(`d.${fileColumn} AS ${fileColumn}`, `d.file_row_number AS ${positionColumn}`);
  }
  const reader = [
    quoteTexts(files.map((file) => file.path)),
    `schema = MAP {${types.join(', ')}}`,
    'hive_partitioning = false',
    ...(withFile ? [`filename = '${fileColumn}'`, 'file_row_number = true'] : []),
  ];
  const select = `SELECT ${columns.join(', ')} FROM read_parquet(${reader.join(', ')}) AS d`;
  if (!hasDeletes) return select;
  return `${select} ANTI JOIN (${deletedPositions(files)}) AS x ON d.${fileColumn} = x.path AND d.file_row_number = x.pos`;
}

/**
 * The deleted positions of the files, as (path, pos). A position counts only for a file that its delete file applies to,
 * and is found under the URI that the manifest gave the data file, wherever the lake lies now.
 */
function deletedPositions(files: readonly ViewFile[]): string {
  const deletePaths = new Set<string>();
  const pairs: string[] = [];
  for (const file of files) {
    for (const path of file.deletePaths) {
      deletePaths.add(path);
      pairs.push(`(${quoteText(path)}, ${quoteText(file.recordedUri)}, ${quoteText(file.path)})`);
    }
  }
  // By name, not by id: a delete file without its two columns must fail, not read as one that deletes nothing.
  return (
    `SELECT m.path, p.pos FROM read_parquet(${quoteTexts([...deletePaths])}, filename = 'tl_delete', hive_partitioning = false) AS p ` +
    `JOIN (VALUES ${pairs.join(', ')}) AS m(del, recorded, path) ON p.tl_delete = m.del AND p.file_path = m.recorded`
  );
}
