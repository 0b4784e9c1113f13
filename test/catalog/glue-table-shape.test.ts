// What stands in the Glue table after a commit, and what of others stays in it.
// Source: AWS Glue Web API Reference, TableInput, Column; docs/reference/glue-table.md.
import { describe, expect, it } from 'vitest';
import { type GlueTable, glueTableInput } from '../../pipeline/catalog/glue-table-shape.js';
import type { IcebergField, TableMetadata } from '../../schemas/iceberg.js';
import { emptyTable, location } from '../lake/fixtures.js';

const uri = `${location}/metadata/00001-b.metadata.json`;
const previousUri = `${location}/metadata/00000-a.metadata.json`;
const arn = 'arn:aws:dynamodb:eu-west-1:123456789012:table/Orders.v2';
const exportArn = `${arn}/export/01700000000000-abcdef00`;

function withFields(
  fields: readonly IcebergField[],
  older: readonly IcebergField[] = [],
): TableMetadata {
  return {
    ...emptyTable(),
    'current-schema-id': 1,
    schemas: [
      { type: 'struct', 'schema-id': 0, fields: older },
      { type: 'struct', 'schema-id': 1, fields },
    ],
  };
}

const field = (id: number, name: string, more: Partial<IcebergField> = {}): IcebergField => ({
  id,
  name,
  required: false,
  type: 'string',
  ...more,
});

function shape(
  md: TableMetadata,
  existing: GlueTable | null = null,
): ReturnType<typeof glueTableInput> {
  const previous = existing === null ? null : previousUri;
  return glueTableInput({
    table: 'orders',
    md,
    metadataUri: uri,
    previousUri: previous,
    existing,
    createdBy: 'tidelake/1.2.3',
  });
}

const columns = (md: TableMetadata, existing: GlueTable | null = null) =>
  shape(md, existing).StorageDescriptor!.Columns!;

describe('a new Glue table', () => {
  it('is an Iceberg table at its place, with columns', () => {
    const { Parameters, StorageDescriptor, ...rest } = shape(emptyTable());
    expect(rest).toEqual({ Name: 'orders', TableType: 'EXTERNAL_TABLE', PartitionKeys: [] });
    expect(Parameters).toEqual({
      table_type: 'ICEBERG',
      metadata_location: uri,
      classification: 'iceberg',
      created_by: 'tidelake/1.2.3',
    });
    expect(StorageDescriptor!.Location).toBe(location);
    expect(StorageDescriptor!.Columns!.map(({ Name, Type }) => [Name, Type])).toEqual([
      ['client', 'string'],
      ['qty', 'decimal(18,2)'],
      ['tags', 'array<string>'],
    ]);
  });

  it('says where its rows come from and how fresh they are, and not which columns are which attributes', () => {
    const md: TableMetadata = {
      ...emptyTable({
        properties: {
          'tidelake.table-arn': arn,
          'tidelake.watermark': '2026-11-20T10:00:00.000Z',
          'tidelake.watermark-snapshot': '7',
          'tidelake.columns': '{"secret":1}',
        },
      }),
      snapshots: [
        {
          'snapshot-id': 7n,
          'sequence-number': 1,
          'timestamp-ms': 1,
          summary: { operation: 'append', 'tidelake.export-arn': exportArn },
          'manifest-list': 'x',
        },
      ],
    };
    const input = shape(md);
    expect(input.Description).toBe('The items of the DynamoDB table Orders.v2');
    expect(input.Parameters).toMatchObject({
      source_table_arn: arn,
      last_window_end: '2026-11-20T10:00:00.000Z',
      last_export_arn: exportArn,
    });
    expect(JSON.stringify(input)).not.toContain('secret');
  });
});

describe('columns', () => {
  it('have the comment, the id and the rest that Iceberg has', () => {
    const md = withFields([field(3, 'id', { required: true, doc: 'DynamoDB attribute Id (S)' })]);
    expect(columns(md)).toEqual([
      {
        Name: 'id',
        Type: 'string',
        Comment: 'DynamoDB attribute Id (S)',
        Parameters: {
          'iceberg.field.id': '3',
          'iceberg.field.optional': 'false',
          'iceberg.field.current': 'true',
        },
      },
    ]);
  });

  it('of older schemas follow, once a name, and are marked', () => {
    const md = withFields(
      [field(1, 'id'), field(5, 'qty', { type: 'decimal(38, 2)' })],
      [field(1, 'id'), field(2, 'qty', { type: 'long' }), field(3, 'note')],
    );
    expect(
      columns(md).map(({ Name, Type, Parameters }) => [
        Name,
        Type,
        Parameters!['iceberg.field.id'],
        Parameters!['iceberg.field.current'],
      ]),
    ).toEqual([
      ['id', 'string', '1', 'true'],
      ['qty', 'decimal(38,2)', '5', 'true'],
      ['note', 'string', '3', 'false'],
    ]);
  });

  it('have a comment that Glue takes, whatever the documentation is', () => {
    for (const doc of ['€'.repeat(65_536), `a\u0000\n${'b'.repeat(300)}`, '\uD800'.repeat(200)]) {
      const comment = columns(withFields([field(1, 'id', { doc })]))[0]!.Comment!;
      expect(Buffer.byteLength(comment)).toBeLessThanOrEqual(255);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
      expect(comment).not.toMatch(/[\u0000-\u001f\ud800-\udfff]/);
    }
  });

  it('with a type too long for Glue have a shorter one, and say so', () => {
    const fields = Array.from({ length: 20_000 }, (_, i) => field(i + 10, `f${i}`));
    const md = withFields([
      field(1, 'big', { type: { type: 'struct', fields } }),
      field(2, 'small'),
    ]);
    const [big, small] = columns(md);
    expect(big!.Type!.length).toBeLessThanOrEqual(131_072);
    expect(big!.Type).toMatch(/^struct<f0:string,f1:string,.*>$/);
    expect(big!.Parameters!.type_is_partial).toBe('true');
    expect(small!.Parameters).not.toHaveProperty('type_is_partial');
    // Once it fits again, it is whole.
    const fit = withFields([
      field(1, 'big', { type: { type: 'struct', fields: fields.slice(0, 2) } }),
    ]);
    const [again] = columns(fit, { StorageDescriptor: { Columns: [big!] } });
    expect(again!.Type).toBe('struct<f0:string,f1:string>');
    expect(again!.Parameters).not.toHaveProperty('type_is_partial');
  });

  it('of other programs with names that Glue does not take are left out', () => {
    const md = withFields([
      field(1, 'id'),
      field(2, 'x'.repeat(256)),
      field(3, 'a\nb'),
      field(4, 'ID'),
    ]);
    expect(columns(md).map(({ Name }) => Name)).toEqual(['id']);
  });
});

describe('what others wrote into the Glue table', () => {
  it('stays: parameters, descriptions, owners, places of files, times', () => {
    const existing = {
      Name: 'orders',
      DatabaseName: 'sales',
      Description: 'Orders of the shop',
      Owner: 'shop-team',
      Retention: 7,
      LastAccessTime: new Date(1000),
      CreateTime: new Date(0),
      VersionId: '4',
      CatalogId: '123456789012',
      IsRegisteredWithLakeFormation: false,
      PartitionKeys: [],
      Parameters: {
        classification: 'lake',
        comment: 'by dbt',
        created_by: 'terraform',
        metadata_location: previousUri,
        previous_metadata_location: 'older',
        table_type: 'ICEBERG',
        freshness_target: '1h',
      },
      StorageDescriptor: {
        Location: location,
        Columns: [],
        SerdeInfo: { Name: 'serde' },
        Parameters: { a: 'b' },
      },
    };
    const input = shape(emptyTable(), existing as unknown as GlueTable);
    expect(input).toMatchObject({
      Description: 'Orders of the shop',
      Owner: 'shop-team',
      Retention: 7,
      LastAccessTime: new Date(1000),
      StorageDescriptor: { SerdeInfo: { Name: 'serde' }, Parameters: { a: 'b' } },
    });
    expect(input.Parameters).toEqual({
      classification: 'lake',
      comment: 'by dbt',
      created_by: 'terraform',
      freshness_target: '1h',
      table_type: 'ICEBERG',
      metadata_location: uri,
      previous_metadata_location: previousUri,
    });
    // Glue's own members are no input.
    for (const name of ['DatabaseName', 'CreateTime', 'VersionId', 'CatalogId']) {
      expect(input).not.toHaveProperty(name);
    }
  });

  const old = field(1, 'id', { doc: 'DynamoDB attribute id (S)' });
  const now = field(4, 'id', { type: 'long', doc: 'DynamoDB attribute id (N)' });
  const commentOf = (Comment: string): string => {
    const known = { Name: 'id', Comment, Parameters: { meta: '{"owner":"a"}' } };
    const [column] = columns(withFields([now], [old]), { StorageDescriptor: { Columns: [known] } });
    expect(column!.Parameters!.meta).toBe('{"owner":"a"}');
    return column!.Comment!;
  };

  it('stays: the comment of a column that no schema explains', () => {
    expect(commentOf('Number of the customer')).toBe('Number of the customer');
  });

  it('goes: a comment that was ours and says the type of before, or none', () => {
    expect(commentOf('DynamoDB attribute id (S)')).toBe('DynamoDB attribute id (N)');
    expect(commentOf('')).toBe('DynamoDB attribute id (N)');
  });

  it('keeps the last export where the watermark was set by a snapshot without one', () => {
    const md = emptyTable({ properties: { 'tidelake.watermark-snapshot': '9' } });
    const input = shape(md, { Parameters: { last_export_arn: exportArn } });
    expect(input.Parameters!.last_export_arn).toBe(exportArn);
  });
});
