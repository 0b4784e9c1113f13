// An Iceberg table as AWS Glue has it: the TableInput of a commit.
// Promises: what Glue limits is under its limits; what others put there (descriptions, owners, parameters, comments) stays;
// the column map is not in it. Engines read metadata.json: columns here are for people, consoles and crawlers.
// Source: AWS Glue Web API Reference, TableInput, StorageDescriptor, Column; the conventions of Apache Iceberg's
// GlueCatalog (table_type, metadata_location, previous_metadata_location, iceberg.field.*).

import type { IcebergField, TableMetadata } from '../../schemas/iceberg.js';
import { glueTextMax } from '../../schemas/limits.js';
import { cutText } from '../../transforms/cut-text.js';
import { currentSchema } from '../lake/iceberg/metadata.js';
import { glueType } from './glue-types.js';

type Parameters = Readonly<Record<string, string>>;

export interface GlueColumn {
  readonly Name: string | undefined;
  readonly Type?: string | undefined;
  readonly Comment?: string | undefined;
  readonly Parameters?: Parameters | undefined;
}

/** A table as GetTable answers it, or a TableInput; members that do not matter here pass through. */
export interface GlueTable {
  readonly Description?: string | undefined;
  readonly StorageDescriptor?:
    | {
        readonly Columns?: readonly GlueColumn[] | undefined;
        readonly Location?: string | undefined;
      }
    | undefined;
  readonly PartitionKeys?: readonly GlueColumn[] | undefined;
  readonly Parameters?: Parameters | undefined;
}

/** Members of a table that a TableInput takes: the others are Glue's own, such as CreateTime. */
const inputMembers: readonly string[] = [
  'Description',
  'Owner',
  'LastAccessTime',
  'LastAnalyzedTime',
  'Retention',
  'StorageDescriptor',
  'PartitionKeys',
  'ViewOriginalText',
  'ViewExpandedText',
  'TargetTable',
];

export interface GlueShape {
  readonly table: string;
  readonly md: TableMetadata;
  readonly metadataUri: string;
  /** The metadata file before; null for a new table. */
  readonly previousUri: string | null;
  /** The table as Glue has it now; null for a new table. */
  readonly existing: GlueTable | null;
  /** Program and version, for a new table. */
  readonly createdBy: string;
}

/** The TableInput of a commit. UpdateTable replaces all of it, so it has all that is to stay. */
export function glueTableInput(shape: GlueShape): GlueTable & { readonly Name: string } {
  const { md, existing } = shape;
  const kept = Object.fromEntries(
    Object.entries(existing ?? {}).filter(([name]) => inputMembers.includes(name)),
  ) as GlueTable;
  return {
    ...(existing === null ? newTableInput(md) : kept),
    Name: shape.table,
    TableType: 'EXTERNAL_TABLE',
    PartitionKeys: kept.PartitionKeys ?? [],
    Parameters: parametersOf(shape),
    StorageDescriptor: {
      ...kept.StorageDescriptor,
      Location: md.location,
      Columns: columnsOf(md, kept.StorageDescriptor?.Columns ?? []),
    },
  } as GlueTable & { readonly Name: string };
}

function newTableInput(md: TableMetadata): GlueTable {
  const name = /:table\/([A-Za-z0-9_.-]{1,255})$/.exec(md.properties['tidelake.table-arn'] ?? '');
  return name === null ? {} : { Description: `The items of the DynamoDB table ${name[1]}` };
}

function parametersOf(shape: GlueShape): Parameters {
  const { md, existing } = shape;
  const { previous_metadata_location: _, ...kept } = existing?.Parameters ?? {};
  return {
    classification: 'iceberg',
    ...(existing === null ? { created_by: shape.createdBy } : {}),
    ...kept,
    ...sourceParameters(md),
    table_type: 'ICEBERG',
    metadata_location: shape.metadataUri,
    ...(shape.previousUri === null ? {} : { previous_metadata_location: shape.previousUri }),
  };
}

/** Where the rows come from and how fresh they are, for those who look into Glue only. */
function sourceParameters(md: TableMetadata): Parameters {
  const { properties } = md;
  const setBy = properties['tidelake.watermark-snapshot'];
  const snapshot = md.snapshots.find((one) => String(one['snapshot-id']) === setBy);
  const found: Readonly<Record<string, string | undefined>> = {
    source_table_arn: properties['tidelake.table-arn'],
    last_window_end: properties['tidelake.watermark'],
    last_export_arn: snapshot?.summary['tidelake.export-arn'],
  };
  return Object.fromEntries(
    Object.entries(found).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined && entry[1].length <= glueTextMax.parameterValue,
    ),
  );
}

/** The current columns, then those of older schemas, as Iceberg's own catalog lists them. */
function columnsOf(md: TableMetadata, existing: readonly GlueColumn[]): GlueColumn[] {
  const current = currentSchema(md);
  const older = md.schemas.filter((one) => one !== current);
  const known = new Map(existing.map((column) => [column.Name, column]));
  const docs = docsByName(md);
  const names = new Set<string>();
  const columns: GlueColumn[] = [];
  for (const schema of [current, ...older]) {
    for (const field of schema.fields) {
      // Catalogs and SQL fold names to lower case; two that differ in nothing else would be one column twice.
      const name = field.name.toLowerCase();
      if (names.has(name) || !isGlueName(field.name)) continue;
      names.add(name);
      const isCurrent = schema === current;
      columns.push(columnOf({ field, isCurrent, known: known.get(field.name), docs }));
    }
  }
  return columns;
}

function columnOf(options: {
  readonly field: IcebergField;
  readonly isCurrent: boolean;
  readonly known: GlueColumn | undefined;
  readonly docs: ReadonlyMap<string, ReadonlySet<string>>;
}): GlueColumn {
  const { field, known } = options;
  const type = glueType(field.type, glueTextMax.columnType);
  const { type_is_partial: _, ...parameters } = known?.Parameters ?? {};
  // A comment that no schema of the table explains was written by somebody: it is theirs.
  const comment = known?.Comment ?? '';
  const isTheirs = comment !== '' && options.docs.get(field.name)?.has(comment) !== true;
  const own = field.doc === undefined ? undefined : cutText(field.doc, glueTextMax.comment);
  const text = isTheirs ? comment : own;
  return {
    Name: field.name,
    Type: type.text,
    ...(text === undefined ? {} : { Comment: text }),
    Parameters: {
      ...parameters,
      'iceberg.field.id': String(field.id),
      'iceberg.field.optional': String(!field.required),
      'iceberg.field.current': String(options.isCurrent),
      ...(type.isPartial ? { type_is_partial: 'true' } : {}),
    },
  };
}

/** Comments that Iceberg's catalogs have given a column by its documentation, whole and cut. */
function docsByName(md: TableMetadata): ReadonlyMap<string, ReadonlySet<string>> {
  const docs = new Map<string, Set<string>>();
  for (const { name, doc } of md.schemas.flatMap((schema) => schema.fields)) {
    if (doc === undefined) continue;
    const known = docs.get(name) ?? new Set();
    docs.set(name, known.add(doc).add(cutText(doc, glueTextMax.comment)));
  }
  return docs;
}

/** Whether Glue takes a column's name. Ours always are; other programs may add any. */
function isGlueName(name: string): boolean {
  return name.length > 0 && cutText(name, glueTextMax.name) === name;
}
