// The way back: from column buffers to DynamoDB JSON, exact, numbers and sets in canonical form.
// The inverse of scan-items.

import type { ColumnType, NumberType } from '../schemas/columns.js';
import {
  BytesColumn,
  type Column,
  type FlagColumn,
  type ListColumn,
  LongColumn,
  type StructColumn,
  type WideColumn,
} from './columns.js';
import { unscaledText } from './decimals.js';
import type { Rows } from './make-columns.js';
import { firstStep, type Value, valueJson } from './values.js';

function bytesAt(column: BytesColumn, row: number): Buffer {
  const start = column.offsets[row]!;
  const end = column.offsets[row + 1]!;
  return Buffer.from(column.data.buffer, column.data.byteOffset + start, end - start);
}

/** Canonical text of a number in a column. */
export function numberAt(number: NumberType, column: Column, row: number): string {
  if (column instanceof BytesColumn) return bytesAt(column, row).toString('latin1');
  if (column instanceof LongColumn) {
    const small = column.numberAt(row);
    const scale = number.type === 'decimal' ? number.scale : 0;
    if (scale === 0 && !Number.isNaN(small)) return String(small);
    return unscaledText(column.bigintAt(row), scale);
  }
  const scale = number.type === 'decimal' ? number.scale : 0;
  return unscaledText((column as WideColumn).bigintAt(row), scale);
}

/** The value of one row of a column as a tree. The row must be present. Absent nested fields are left out. */
export function columnValue(type: ColumnType, column: Column, row: number): Value {
  switch (type.kind) {
    case 'S':
      return { tag: 'S', text: bytesAt(column as BytesColumn, row).toString('utf8') };
    case 'B':
      return { tag: 'B', text: bytesAt(column as BytesColumn, row).toString('base64') };
    case 'BOOL':
      return { tag: 'BOOL', flag: (column as FlagColumn).flags[row] === 1 };
    case 'N':
      return { tag: 'N', text: numberAt(type.number, column, row) };
    case 'JSON':
      return parseValue(bytesAt(column as BytesColumn, row).toString('utf8'));
    case 'SS':
    case 'BS':
    case 'NS':
      return { tag: type.kind, members: members(type, column as ListColumn, row) };
    case 'L': {
      const list = column as ListColumn;
      const elements: Value[] = [];
      for (let i = list.offsets[row]!; i < list.offsets[row + 1]!; i++) {
        elements.push(orNull(type.element, list.child, i));
      }
      return { tag: 'L', elements };
    }
    case 'MAP': {
      const map = column as ListColumn<StructColumn>;
      const [names, values] = map.child.children as [BytesColumn, Column];
      const entries: [string, Value][] = [];
      for (let i = map.offsets[row]!; i < map.offsets[row + 1]!; i++) {
        entries.push([bytesAt(names, i).toString('utf8'), orNull(type.value, values, i)]);
      }
      return { tag: 'M', entries };
    }
    case 'M': {
      const entries: [string, Value][] = [];
      type.fields.forEach((field, i) => {
        const child = (column as StructColumn).children[i]!;
        if (child.ok[row] === 1 && row < child.n) {
          entries.push([field.attribute, columnValue(field.type, child, row)]);
        }
      });
      return { tag: 'M', entries };
    }
  }
}

function orNull(type: ColumnType, column: Column, row: number): Value {
  return column.ok[row] === 1 ? columnValue(type, column, row) : { tag: 'NULL' };
}

function members(
  type: Extract<ColumnType, { kind: 'SS' | 'BS' | 'NS' }>,
  list: ListColumn,
  row: number,
): string[] {
  const out: string[] = [];
  for (let i = list.offsets[row]!; i < list.offsets[row + 1]!; i++) {
    if (type.kind === 'NS') out.push(numberAt(type.number, list.child, i));
    else {
      const bytes = bytesAt(list.child as BytesColumn, i);
      out.push(bytes.toString(type.kind === 'SS' ? 'utf8' : 'base64'));
    }
  }
  return out;
}

/** Reads canonical DynamoDB JSON that we wrote ourselves (a misfit, or a JSON column). */
export function parseValue(json: string): Value {
  // Arrays of pairs instead of objects keep `__proto__` and integer-like names as they are.
  let at = 0;
  const skip = (text: string): void => {
    if (!json.startsWith(text, at)) throw new SyntaxError('not canonical DynamoDB JSON');
    at += text.length;
  };
  const text = (): string => {
    const start = at++;
    while (json[at] !== '"') {
      if (at >= json.length) throw new SyntaxError('not canonical DynamoDB JSON');
      at += json[at] === '\\' ? 2 : 1;
    }
    return JSON.parse(json.slice(start, ++at)) as string;
  };
  const list = <T>(close: string, one: () => T): T[] => {
    const out: T[] = [];
    if (json[at] === close) {
      at++;
      return out;
    }
    for (;;) {
      out.push(one());
      if (json[at++] === close) return out;
    }
  };
  const value = (): Value => {
    skip('{');
    const tag = text();
    skip(':');
    let out: Value;
    if (tag === 'S' || tag === 'N' || tag === 'B') out = { tag, text: text() };
    else if (tag === 'BOOL') {
      const flag = json.startsWith('true', at);
      skip(flag ? 'true' : 'false');
      out = { tag, flag };
    } else if (tag === 'NULL') {
      skip('true');
      out = { tag };
    } else if (tag === 'L') {
      skip('[');
      out = { tag, elements: list(']', value) };
    } else if (tag === 'M') {
      skip('{');
      out = {
        tag,
        entries: list('}', (): [string, Value] => {
          const name = text();
          skip(':');
          return [name, value()];
        }),
      };
    } else {
      skip('[');
      out = { tag: tag as 'SS' | 'NS' | 'BS', members: list(']', text) };
    }
    skip('}');
    return out;
  };
  return value();
}

/** Puts the NULLs listed for a row (paths below one attribute) into that attribute's value. */
export function withNulls(value: Value, paths: readonly string[]): Value {
  let out = value;
  for (const path of paths) {
    const steps = path
      .split('/')
      .slice(2)
      .map((step) => step.replace(/~1/g, '/').replace(/~0/g, '~'));
    out = setNull(out, steps);
  }
  return out;
}

function setNull(value: Value, steps: readonly string[]): Value {
  const [step, ...rest] = steps;
  if (step === undefined) return { tag: 'NULL' };
  if (value.tag === 'L') {
    const elements = [...value.elements];
    const index = Number(step);
    elements[index] = setNull(elements[index] ?? { tag: 'NULL' }, rest);
    return { tag: 'L', elements };
  }
  if (value.tag !== 'M') return value;
  const entries = value.entries.map((entry) => entry);
  const index = entries.findIndex(([name]) => name === step);
  if (index < 0) entries.push([step, { tag: 'NULL' }]);
  else entries[index] = [step, setNull(entries[index]![1], rest)];
  return { tag: 'M', entries };
}

/** Growing bytes of text. */
class TextWriter {
  bytes: Buffer = Buffer.allocUnsafe(1 << 20);
  length = 0;

  room(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const next = Buffer.allocUnsafe((this.length + more) * 2);
    this.bytes.copy(next, 0, 0, this.length);
    this.bytes = next;
  }
  ascii(text: string): void {
    const n = text.length;
    this.room(n);
    const { bytes } = this;
    let at = this.length;
    for (let i = 0; i < n; i++) bytes[at++] = text.charCodeAt(i);
    this.length = at;
  }
  utf8(text: string): void {
    this.room(text.length * 3);
    this.length += this.bytes.write(text, this.length, 'utf8');
  }
  raw(source: Uint8Array, start: number, end: number): void {
    this.room(end - start);
    this.bytes.set(source.subarray(start, end), this.length);
    this.length += end - start;
  }
  /** A JSON string of UTF-8 bytes, quotes included (RFC 8259, section 7). */
  string(source: Uint8Array, start: number, end: number): void {
    this.room((end - start) * 6 + 2);
    const { bytes } = this;
    let at = this.length;
    bytes[at++] = 34;
    for (let i = start; i < end; i++) {
      const c = source[i]!;
      if (c >= 32 && c !== 34 && c !== 92) bytes[at++] = c;
      else if (c === 34 || c === 92) {
        bytes[at++] = 92;
        bytes[at++] = c;
      } else {
        at += bytes.write(`\\u${c.toString(16).padStart(4, '0')}`, at, 'latin1');
      }
    }
    bytes[at++] = 34;
    this.length = at;
  }
}

/** Writes rows as lines of DynamoDB JSON: `{"Item":{…}}`. */
export class ItemWriter {
  private readonly out = new TextWriter();
  private readonly heads: readonly Buffer[];
  private readonly rows: Rows;

  constructor(rows: Rows) {
    this.rows = rows;
    this.heads = rows.types.map((column) => Buffer.from(`${JSON.stringify(column.attribute)}:`));
  }

  /** Bytes of lines written and not taken yet. */
  get length(): number {
    return this.out.length;
  }

  /** The lines written so far; starts anew. */
  take(): Uint8Array {
    const bytes = Buffer.from(this.out.bytes.subarray(0, this.out.length));
    this.out.length = 0;
    return bytes;
  }

  /** Appends one row as a line. */
  write(row: number): void {
    const { out, rows } = this;
    const nulls = nullPaths(rows, row);
    out.ascii('{"Item":{');
    let first = true;
    rows.types.forEach((column, i) => {
      if (rows.columns[i]!.ok[row] === 0) return;
      if (!first) out.ascii(',');
      first = false;
      const head = this.heads[i]!;
      out.raw(head, 0, head.length);
      const below = nulls?.get(column.attribute);
      if (below !== undefined) {
        out.utf8(valueJson(withNulls(columnValue(column.type, rows.columns[i]!, row), below)));
      } else this.value(column.type, rows.columns[i]!, row);
    });
    for (const [attribute, paths] of nulls ?? []) {
      if (!paths.includes(`/${attribute.replace(/~/g, '~0').replace(/\//g, '~1')}`)) continue;
      if (!first) out.ascii(',');
      first = false;
      out.utf8(`${JSON.stringify(attribute)}:{"NULL":true}`);
    }
    const { misfits } = rows;
    if (misfits.ok[row] === 1) {
      const [names, values] = misfits.child.children as [BytesColumn, BytesColumn];
      for (let i = misfits.offsets[row]!; i < misfits.offsets[row + 1]!; i++) {
        if (!first) out.ascii(',');
        first = false;
        out.string(names.data, names.offsets[i]!, names.offsets[i + 1]!);
        out.ascii(':');
        out.raw(values.data, values.offsets[i]!, values.offsets[i + 1]!);
      }
    }
    out.ascii('}}\n');
  }

  /** Appends the DynamoDB JSON of one present row of a column. */
  private value(type: ColumnType, column: Column, row: number): void {
    const { out } = this;
    switch (type.kind) {
      case 'S': {
        const bytes = column as BytesColumn;
        out.ascii('{"S":');
        out.string(bytes.data, bytes.offsets[row]!, bytes.offsets[row + 1]!);
        out.ascii('}');
        return;
      }
      case 'N':
        out.ascii(`{"N":"${numberAt(type.number, column, row)}"}`);
        return;
      case 'B':
        out.ascii(`{"B":"${bytesAt(column as BytesColumn, row).toString('base64')}"}`);
        return;
      case 'BOOL':
        out.ascii((column as FlagColumn).flags[row] === 1 ? '{"BOOL":true}' : '{"BOOL":false}');
        return;
      case 'JSON': {
        const bytes = column as BytesColumn;
        out.raw(bytes.data, bytes.offsets[row]!, bytes.offsets[row + 1]!);
        return;
      }
      case 'L': {
        const list = column as ListColumn;
        out.ascii('{"L":[');
        const start = list.offsets[row]!;
        for (let i = start; i < list.offsets[row + 1]!; i++) {
          if (i > start) out.ascii(',');
          if (list.child.ok[i] === 1) this.value(type.element, list.child, i);
          else out.ascii('{"NULL":true}');
        }
        out.ascii(']}');
        return;
      }
      case 'M':
        this.struct(type, column as StructColumn, row);
        return;
      default:
        out.utf8(valueJson(columnValue(type, column, row)));
    }
  }

  private struct(
    type: Extract<ColumnType, { kind: 'M' }>,
    column: StructColumn,
    row: number,
  ): void {
    const { out } = this;
    out.ascii('{"M":{');
    let first = true;
    type.fields.forEach((field, i) => {
      const child = column.children[i]!;
      if (child.ok[row] === 0) return;
      if (!first) out.ascii(',');
      first = false;
      out.utf8(`${JSON.stringify(field.attribute)}:`);
      this.value(field.type, child, row);
    });
    out.ascii('}}');
  }
}

/** Paths of a row's NULLs by attribute; null when there are none. */
export function nullPaths(rows: Rows, row: number): Map<string, string[]> | null {
  const { nulls } = rows;
  if (nulls.ok[row] === 0) return null;
  const out = new Map<string, string[]>();
  for (let i = nulls.offsets[row]!; i < nulls.offsets[row + 1]!; i++) {
    const path = bytesAt(nulls.child, i).toString('utf8');
    const attribute = firstStep(path);
    const paths = out.get(attribute);
    if (paths === undefined) out.set(attribute, [path]);
    else paths.push(path);
  }
  return out;
}

/** A row's misfits: attribute and DynamoDB JSON. */
export function misfitsOf(rows: Rows, row: number): [string, Uint8Array][] {
  const { misfits } = rows;
  if (misfits.ok[row] === 0) return [];
  const [names, values] = misfits.child.children as [BytesColumn, BytesColumn];
  const out: [string, Uint8Array][] = [];
  for (let i = misfits.offsets[row]!; i < misfits.offsets[row + 1]!; i++) {
    out.push([bytesAt(names, i).toString('utf8'), bytesAt(values, i)]);
  }
  return out;
}
