// The Parquet schema of a table's data files, as the elements of a footer. Names inside lists and maps, and annotations, are
// what arrow-rs writes, so that row groups of both fit into one file.
// Spec: apache/parquet-format, LogicalTypes.md; parquet.thrift (SchemaElement); Iceberg spec, "Appendix A: Parquet".

import type { ColumnType, NumberType, TableColumns } from '../../../schemas/columns.js';
import { filePathFieldId, posFieldId } from '../../../schemas/iceberg.js';
import type { ThriftStruct, ThriftValue } from './thrift.js';

/** Elements of a footer's schema, the root first, parents before their children. */
export function schemaElements(table: TableColumns): ThriftStruct[] {
  const { own } = table;
  const elements: ThriftStruct[] = [];
  for (const { name, id, type } of table.columns) addColumn(elements, name, id, type);
  elements.push(leaf('_written_at', own.writtenAt, int64, timestampMicros));
  addList(elements, '_nulls', own.nulls, () => {
    elements.push(leaf('element', own.nullsElement, byteArray, text));
  });
  addMap(elements, '_misfits', own.misfits, own.misfitsKey, () => {
    elements.push(leaf('value', own.misfitsValue, byteArray, text));
  });
  return [group('table', null, null, table.columns.length + 3), ...elements];
}

/** Elements of the schema of position delete files: both columns are required. Source: Iceberg spec, "Position Delete Files". */
export function deleteSchemaElements(): ThriftStruct[] {
  return [
    group('table', null, null, 2),
    leaf('file_path', filePathFieldId, byteArray, text, required),
    leaf('pos', posFieldId, int64, plain, required),
  ];
}

// Numbers of parquet.thrift: Type, FieldRepetitionType, ConvertedType.
const boolean = 0;
const int64 = 2;
const byteArray = 6;
const fixedBytes = 7;
const required = 0;
const optional = 1;
const repeated = 2;

type Annotation = readonly (readonly [number, ThriftValue])[];

const i32 = (value: number): ThriftValue => ({ type: 'i32', value });
const struct = (...fields: [number, ThriftValue][]): ThriftValue => ({
  type: 'struct',
  value: new Map(fields),
});
const binary = (value: string): ThriftValue => ({
  type: 'binary',
  value: Buffer.from(value, 'utf8'),
});

// Fields of SchemaElement: 6 the older annotation, 7 and 8 a decimal's scale and precision, 10 the annotation.
const plain: Annotation = [];
const text: Annotation = [
  [6, i32(0)],
  [10, struct([1, struct()])],
];
const listAnnotation: Annotation = [
  [6, i32(3)],
  [10, struct([3, struct()])],
];
const mapAnnotation: Annotation = [
  [6, i32(1)],
  [10, struct([2, struct()])],
];
/** Microseconds of no time zone. */
const timestampMicros: Annotation = [
  [6, i32(10)],
  [10, struct([8, struct([1, { type: 'bool', value: false }], [2, struct([2, struct()])])])],
];

function decimal(precision: number, scale: number): Annotation {
  return [
    [6, i32(5)],
    [7, i32(scale)],
    [8, i32(precision)],
    [10, struct([5, struct([1, i32(scale)], [2, i32(precision)])])],
  ];
}

function leaf(
  name: string,
  id: number,
  type: number,
  annotation: Annotation,
  repetition = optional,
): ThriftStruct {
  const element: ThriftStruct = new Map([
    [1, i32(type)],
    [3, i32(repetition)],
    [4, binary(name)],
    [9, i32(id)],
    ...annotation,
  ]);
  // Sixteen bytes hold 38 digits.
  if (type === fixedBytes) element.set(2, i32(16));
  return element;
}

function group(
  name: string,
  id: number | null,
  repetition: number | null,
  children: number,
  annotation: Annotation = plain,
): ThriftStruct {
  const element: ThriftStruct = new Map([[4, binary(name)], [5, i32(children)], ...annotation]);
  if (id !== null) element.set(9, i32(id));
  if (repetition !== null) element.set(3, i32(repetition));
  return element;
}

function addList(elements: ThriftStruct[], name: string, id: number, element: () => void): void {
  elements.push(group(name, id, optional, 1, listAnnotation), group('list', null, repeated, 1));
  element();
}

function addMap(
  elements: ThriftStruct[],
  name: string,
  id: number,
  keyId: number,
  value: () => void,
): void {
  elements.push(
    group(name, id, optional, 1, mapAnnotation),
    group('entries', null, repeated, 2),
    leaf('key', keyId, byteArray, text, required),
  );
  value();
}

function numberLeaf(name: string, id: number, number: NumberType): ThriftStruct {
  if (number.type === 'text') return leaf(name, id, byteArray, text);
  if (number.type === 'long') return leaf(name, id, int64, plain);
  const { precision, scale } = number;
  return leaf(name, id, precision === 38 ? fixedBytes : int64, decimal(precision, scale));
}

function addColumn(elements: ThriftStruct[], name: string, id: number, type: ColumnType): void {
  switch (type.kind) {
    case 'S':
    case 'JSON':
      elements.push(leaf(name, id, byteArray, text));
      return;
    case 'B':
      elements.push(leaf(name, id, byteArray, plain));
      return;
    case 'BOOL':
      elements.push(leaf(name, id, boolean, plain));
      return;
    case 'N':
      elements.push(numberLeaf(name, id, type.number));
      return;
    case 'SS':
    case 'BS':
      addList(elements, name, id, () => {
        const annotation = type.kind === 'SS' ? text : plain;
        elements.push(leaf('element', type.elementId, byteArray, annotation));
      });
      return;
    case 'NS':
      addList(elements, name, id, () => {
        elements.push(numberLeaf('element', type.elementId, type.number));
      });
      return;
    case 'L':
      addList(elements, name, id, () => {
        addColumn(elements, 'element', type.elementId, type.element);
      });
      return;
    case 'MAP':
      addMap(elements, name, id, type.keyId, () => {
        addColumn(elements, 'value', type.valueId, type.value);
      });
      return;
    case 'M':
      elements.push(group(name, id, optional, type.fields.length));
      for (const field of type.fields) addColumn(elements, field.name, field.id, field.type);
  }
}
