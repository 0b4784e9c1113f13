// Values of Athena's results, which are texts, in the form that results have everywhere in Tidelake.
// Promises: nothing is rounded; lists, maps and rows, whose text in Athena cannot be read back, stay that text.
// Source: Amazon Athena API Reference, Datum and ColumnInfo; pipeline/query/result-values.ts.

import type { ColumnInfo } from '@aws-sdk/client-athena';
import { doubleValue, integerValue } from '../query/result-values.js';

/** The type of a column, in capitals, as results name it: `DECIMAL(18,2)`, `VARCHAR`. */
export function athenaType(column: ColumnInfo): string {
  const type = (column.Type ?? 'varchar').toUpperCase();
  return type === 'DECIMAL' ? `DECIMAL(${column.Precision ?? 38},${column.Scale ?? 0})` : type;
}

/** How the texts of a column become values. */
export function athenaReader(column: ColumnInfo): (text: string) => unknown {
  switch ((column.Type ?? '').toLowerCase()) {
    case 'boolean':
      return (text) => (text === 'true' ? true : text === 'false' ? false : text);
    case 'tinyint':
    case 'smallint':
    case 'integer':
    case 'bigint':
      return (text) => (/^-?\d+$/.test(text) ? integerValue(BigInt(text)) : text);
    case 'float':
    case 'real':
    case 'double':
      return (text) => doubleValue(Number(text));
    case 'timestamp':
    case 'timestamp with time zone':
      return timestamp;
    case 'varbinary':
      return (text) =>
        /^([0-9a-f]{2}( |$))*$/i.test(text)
          ? Buffer.from(text.replaceAll(' ', ''), 'hex').toString('base64')
          : text;
    default:
      return (text) => text;
  }
}

/** ISO 8601 with three digits of a second, or six or nine where the rest is not zero. Other zones than UTC stay as they are. */
function timestamp(text: string): string {
  const found = /^(\d{4,6}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})(?:\.(\d{1,12}))?(?: (?:UTC|Z))?$/.exec(
    text,
  );
  if (found === null) return text;
  const digits = (found[3] ?? '').replace(/0+$/, '');
  const length = Math.max(3, Math.ceil(digits.length / 3) * 3);
  return `${found[1]}T${found[2]}.${digits.padEnd(length, '0')}Z`;
}
