// Iceberg types as Glue and Hive write them.
// Promises: the type is exact while it fits; beyond, structs lack their last fields, and what is said is still true and
// still a type. Source: Apache Hive, "LanguageManual Types"; Apache Iceberg's GlueCatalog for the names; AWS Glue Web API
// Reference, Column.Type (131,072 characters).

import type { IcebergType } from '../../schemas/iceberg.js';

export interface GlueType {
  readonly text: string;
  /** Whether fields had to be left out. */
  readonly isPartial: boolean;
}

/** Primitive types that have another name in Hive, or none of their own. */
const hiveNames: Readonly<Record<string, string>> = {
  long: 'bigint',
  time: 'string',
  uuid: 'string',
  timestamptz: 'timestamp',
};

/** The type in at most `lengthMax` characters. The shortest form of a type (the first field of each struct) must fit. */
export function glueType(type: IcebergType, lengthMax: number): GlueType {
  if (typeof type === 'string') return { text: primitive(type), isPartial: false };
  switch (type.type) {
    case 'list':
      return wrapped('array<', type.element, lengthMax);
    case 'map':
      // DynamoDB's maps have text keys, and so has every map here; a key of another kind is as short.
      return wrapped(`map<${glueType(type.key, lengthMax).text},`, type.value, lengthMax);
    case 'struct':
      return struct(type.fields, lengthMax);
  }
}

function wrapped(before: string, inner: IcebergType, lengthMax: number): GlueType {
  const { text, isPartial } = glueType(inner, lengthMax - before.length - 1);
  return { text: `${before}${text}>`, isPartial };
}

function struct(
  fields: readonly { readonly name: string; readonly type: IcebergType }[],
  lengthMax: number,
): GlueType {
  let text = 'struct<';
  let isPartial = false;
  for (const [i, { name, type }] of fields.entries()) {
    const start = `${i === 0 ? '' : ','}${name}:`;
    const room = lengthMax - text.length - start.length - 1;
    if (i > 0 && shortest(type) > room) return { text: `${text}>`, isPartial: true };
    const inner = glueType(type, room);
    text += start + inner.text;
    isPartial ||= inner.isPartial;
  }
  return { text: `${text}>`, isPartial };
}

/** Characters of the shortest form of a type. */
function shortest(type: IcebergType): number {
  if (typeof type === 'string') return primitive(type).length;
  if (type.type === 'list') return 'array<>'.length + shortest(type.element);
  if (type.type === 'map') return 'map<,>'.length + shortest(type.key) + shortest(type.value);
  const first = type.fields[0];
  return (
    'struct<>'.length + (first === undefined ? 0 : first.name.length + 1 + shortest(first.type))
  );
}

function primitive(type: string): string {
  const decimal = /^decimal\((\d+),\s*(\d+)\)$/.exec(type);
  if (decimal !== null) return `decimal(${decimal[1]},${decimal[2]})`;
  if (type.startsWith('fixed[')) return 'binary';
  return hiveNames[type] ?? type;
}
