// Glue's documented limits: lengths and patterns of what a request may say.
// Promises: what is over a limit is refused as Glue does, naming the member; members that are not known here pass.
// Source: AWS Glue Web API Reference, "Data types" (length constraints count characters: Smithy, "length trait").

import { GlueFault, type Json } from './glue-call.js';

type Form =
  | { readonly is: 'text'; readonly min?: number; readonly max?: number; readonly of?: RegExp }
  | { readonly is: 'number'; readonly min: number; readonly max: number }
  | { readonly is: 'list'; readonly of: Form; readonly max?: number }
  | { readonly is: 'map'; readonly key: Form; readonly value: Form }
  | {
      readonly is: 'structure';
      readonly members: Readonly<Record<string, Form>>;
      readonly required?: readonly string[];
    };

const singleLine = /^[ -\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}\t]*$/u;
const multiLine = /^[ -\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}\r\n\t]*$/u;

const name: Form = { is: 'text', min: 1, max: 255, of: singleLine };
const description: Form = { is: 'text', max: 2048, of: multiLine };
const location: Form = { is: 'text', max: 2056, of: multiLine };
const format: Form = { is: 'text', max: 128, of: singleLine };
const viewText: Form = { is: 'text', max: 409_600 };
const parameters: Form = { is: 'map', key: name, value: { is: 'text', max: 512_000 } };

const column: Form = {
  is: 'structure',
  required: ['Name'],
  members: {
    Name: name,
    Type: { is: 'text', max: 131_072, of: singleLine },
    Comment: { is: 'text', max: 255, of: singleLine },
    Parameters: parameters,
  },
};

const storageDescriptor: Form = {
  is: 'structure',
  members: {
    Columns: { is: 'list', of: column },
    Location: location,
    AdditionalLocations: { is: 'list', of: location },
    InputFormat: format,
    OutputFormat: format,
    SerdeInfo: {
      is: 'structure',
      members: { Name: name, SerializationLibrary: name, Parameters: parameters },
    },
    BucketColumns: { is: 'list', of: name },
    Parameters: parameters,
  },
};

const tableInput: Form = {
  is: 'structure',
  required: ['Name'],
  members: {
    Name: name,
    Description: description,
    Owner: name,
    Retention: { is: 'number', min: 0, max: 2 ** 31 - 1 },
    StorageDescriptor: storageDescriptor,
    PartitionKeys: { is: 'list', of: column },
    ViewOriginalText: viewText,
    ViewExpandedText: viewText,
    TableType: { is: 'text', max: 255 },
    Parameters: parameters,
  },
};

const databaseInput: Form = {
  is: 'structure',
  required: ['Name'],
  members: {
    Name: name,
    Description: description,
    LocationUri: { is: 'text', min: 1, max: 1024, of: multiLine },
    Parameters: parameters,
  },
};

/** Members by name, the same in every action that has them. */
const members: Readonly<Record<string, Form>> = {
  CatalogId: name,
  DatabaseName: name,
  TableName: name,
  Name: name,
  VersionId: name,
  Pattern: name,
  Expression: { is: 'text', max: 2048, of: singleLine },
  NextToken: { is: 'text' },
  MaxResults: { is: 'number', min: 1, max: 100 },
  TablesToDelete: { is: 'list', of: name, max: 100 },
  VersionIds: { is: 'list', of: name, max: 100 },
  ColumnNames: { is: 'list', of: name, max: 100 },
  TableInput: tableInput,
  DatabaseInput: databaseInput,
};

/** Checks the input of an action that must have these members. Throws ValidationException or SerializationException. */
export function checkInput(input: Json, required: readonly string[], pageMax = 100): void {
  const page: Form = { is: 'number', min: 1, max: pageMax };
  check({ is: 'structure', members: { ...members, MaxResults: page }, required }, input, '');
}

function check(form: Form, value: unknown, path: string): void {
  if (form.is === 'text') checkText(form, value, path);
  else if (form.is === 'number') checkNumber(form, value, path);
  else if (form.is === 'list') {
    if (!Array.isArray(value)) throw wrongKind(path);
    if (value.length > (form.max ?? value.length)) {
      throw violated(path, `length less than or equal to ${form.max}`);
    }
    for (const [i, one] of value.entries()) check(form.of, one, `${path}.${i + 1}.member`);
  } else if (form.is === 'map') {
    for (const [key, one] of Object.entries(objectAt(value, path))) {
      check(form.key, key, `${path}.key`);
      check(form.value, one, `${path}.value`);
    }
  } else checkStructure(form, value, path);
}

function checkStructure(
  form: Extract<Form, { is: 'structure' }>,
  value: unknown,
  path: string,
): void {
  const object = objectAt(value, path);
  for (const [member, of] of Object.entries(form.members)) {
    const at = memberPath(path, member);
    const one = object[member] ?? null;
    if (one !== null) check(of, one, at);
    else if (form.required?.includes(member)) {
      throw new GlueFault('ValidationException', constraint(at, 'Member must not be null'));
    }
  }
}

function checkNumber(form: Extract<Form, { is: 'number' }>, value: unknown, path: string): void {
  if (typeof value !== 'number') throw wrongKind(path);
  if (value < form.min) throw violated(path, `value greater than or equal to ${form.min}`);
  if (value > form.max) throw violated(path, `value less than or equal to ${form.max}`);
}

function checkText(form: Extract<Form, { is: 'text' }>, value: unknown, path: string): void {
  if (typeof value !== 'string') throw wrongKind(path);
  // Characters, not UTF-16 units; counted only where it can matter.
  const length = value.length > (form.max ?? value.length) ? [...value].length : value.length;
  if (length > (form.max ?? length))
    throw violated(path, `length less than or equal to ${form.max}`);
  if (length < (form.min ?? 0)) throw violated(path, `length greater than or equal to ${form.min}`);
  if (form.of !== undefined && !form.of.test(value)) {
    throw new GlueFault(
      'ValidationException',
      constraint(path, `Member must satisfy regular expression pattern: ${form.of.source}`),
    );
  }
}

function memberPath(path: string, member: string): string {
  const camel = `${member[0]!.toLowerCase()}${member.slice(1)}`;
  return path === '' ? camel : `${path}.${camel}`;
}

function objectAt(value: unknown, path: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw wrongKind(path);
}

function wrongKind(path: string): GlueFault {
  return new GlueFault('SerializationException', `Unexpected kind of value at '${path}'`);
}

function violated(path: string, bound: string): GlueFault {
  return new GlueFault('ValidationException', constraint(path, `Member must have ${bound}`));
}

function constraint(path: string, what: string): string {
  return `1 validation error detected: Value at '${path}' failed to satisfy constraint: ${what}`;
}
