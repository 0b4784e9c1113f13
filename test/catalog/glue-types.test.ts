// Iceberg types in Glue's words. The names are those of Iceberg's GlueCatalog (IcebergToGlueConverter, toTypeString).
import { describe, expect, it } from 'vitest';
import { glueType } from '../../pipeline/catalog/glue-types.js';
import type { IcebergType } from '../../schemas/iceberg.js';

const list = (element: IcebergType): IcebergType => ({
  type: 'list',
  'element-id': 2,
  element,
  'element-required': false,
});
const map = (value: IcebergType): IcebergType => ({
  type: 'map',
  'key-id': 3,
  key: 'string',
  'value-id': 4,
  value,
  'value-required': false,
});
const struct = (fields: Record<string, IcebergType>): IcebergType => ({
  type: 'struct',
  fields: Object.entries(fields).map(([name, type], id) => ({ id, name, required: false, type })),
});

/** Reads a type back: names of fields, types of leaves. Throws where it is none. */
function parse(text: string): unknown {
  let at = 0;
  const take = (pattern: RegExp): string => {
    const found = new RegExp(pattern, 'y');
    found.lastIndex = at;
    const match = found.exec(text);
    if (match === null) throw new Error(`no type at ${at} of ${text.slice(at, at + 40)}`);
    at = found.lastIndex;
    return match[0];
  };
  const type = (): unknown => {
    const word = take(/[a-z]+(\(\d+,\d+\))?/);
    if (word === 'struct') {
      const fields: Record<string, unknown> = {};
      take(/</);
      do {
        const name = take(/[a-z0-9_]+/);
        take(/:/);
        fields[name] = type();
      } while (take(/[,>]/) === ',');
      return fields;
    }
    if (word !== 'array' && word !== 'map') return word;
    take(/</);
    if (word === 'map') take(/string,/);
    const inner = type();
    take(/>/);
    return { [word]: inner };
  };
  const found = type();
  if (at !== text.length) throw new Error('more than a type');
  return found;
}

describe('types in Glue', () => {
  it.each([
    ['boolean', 'boolean'],
    ['int', 'int'],
    ['long', 'bigint'],
    ['float', 'float'],
    ['double', 'double'],
    ['decimal(38, 9)', 'decimal(38,9)'],
    ['date', 'date'],
    ['time', 'string'],
    ['timestamp', 'timestamp'],
    ['timestamptz', 'timestamp'],
    ['string', 'string'],
    ['uuid', 'string'],
    ['fixed[16]', 'binary'],
    ['binary', 'binary'],
  ])('have the name that Iceberg gives them: %s is %s', (iceberg, glue) => {
    expect(glueType(iceberg, 131_072)).toEqual({ text: glue, isPartial: false });
  });

  it('nest', () => {
    const type = struct({
      a: list(struct({ b: 'decimal(18, 2)', c: map(list('binary')) })),
      d: 'long',
    });
    expect(glueType(type, 131_072).text).toBe(
      'struct<a:array<struct<b:decimal(18,2),c:map<string,array<binary>>>>,d:bigint>',
    );
  });
});

describe('a type that is too long', () => {
  const wide = (count: number, of: IcebergType = 'timestamp'): IcebergType =>
    struct(Object.fromEntries(Array.from({ length: count }, (_, i) => [`field_${i}`, of])));

  it('loses its last fields and is still a type', () => {
    const whole = glueType(wide(100), 131_072);
    for (let max = 40; max < whole.text.length; max += 37) {
      const { text, isPartial } = glueType(wide(100), max);
      expect(text.length).toBeLessThanOrEqual(max);
      expect(text.length).toBeGreaterThan(max - 'field_99:timestamp,'.length);
      expect(isPartial).toBe(true);
      expect(Object.entries(parse(whole.text) as object)).toEqual(
        expect.arrayContaining(Object.entries(parse(text) as object)),
      );
    }
    expect(glueType(wide(100), whole.text.length)).toEqual(whole);
  });

  it('is cut inside lists, maps and structs too', () => {
    const deep = list(map(struct({ first: wide(50, list('string')), second: 'long' })));
    const { text, isPartial } = glueType(deep, 300);
    expect(text.length).toBeLessThanOrEqual(300);
    expect(isPartial).toBe(true);
    expect(parse(text)).toMatchObject({
      array: { map: { first: { field_0: { array: 'string' } } } },
    });
  });

  it('fits in Glue however many names a map has', () => {
    const { text } = glueType(wide(256, wide(64, struct({ a: 'string', b: 'long' }))), 131_072);
    expect(text.length).toBeLessThanOrEqual(131_072);
    expect(parse(text)).toHaveProperty('field_0.field_63.b', 'bigint');
  });
});
