// The columns of a lake table: what each attribute became. Ids are Iceberg field ids, unique in the table for ever.

import type { KeyAttribute } from './attribute.js';

/** How a number column keeps N. `text` is for keys only: canonical decimal text, when no one decimal holds all keys. */
export type NumberType =
  | { readonly type: 'long' }
  | { readonly type: 'decimal'; readonly precision: 18 | 38; readonly scale: number }
  | { readonly type: 'text' };

/** The type of a column, of a nested field, of a list's element or of a map's value. */
export type ColumnType =
  | { readonly kind: 'S' }
  | { readonly kind: 'B' }
  | { readonly kind: 'BOOL' }
  | { readonly kind: 'N'; readonly number: NumberType }
  | { readonly kind: 'SS'; readonly elementId: number }
  | { readonly kind: 'BS'; readonly elementId: number }
  | { readonly kind: 'NS'; readonly elementId: number; readonly number: NumberType }
  | {
      readonly kind: 'L';
      readonly elementId: number;
      readonly element: ColumnType;
      /** True while no element was ever seen: the element type is a placeholder (string). */
      readonly empty?: boolean;
    }
  | { readonly kind: 'M'; readonly fields: readonly Field[] }
  | {
      readonly kind: 'MAP';
      readonly keyId: number;
      readonly valueId: number;
      readonly value: ColumnType;
      /** True while no entry was ever seen: the value type is a placeholder (string). */
      readonly empty?: boolean;
    }
  | { readonly kind: 'JSON' };

/** A column, or a field of a struct. */
export interface Field {
  readonly id: number;
  /** Column name: [a-z0-9_]{1,128}. */
  readonly name: string;
  /** The attribute's original name (one step of the path, not the whole path). */
  readonly attribute: string;
  readonly type: ColumnType;
}

/** Our own three columns, by name. Their ids are fixed per table like all others. */
export interface OwnColumnIds {
  readonly writtenAt: number;
  readonly nulls: number;
  readonly nullsElement: number;
  readonly misfits: number;
  readonly misfitsKey: number;
  readonly misfitsValue: number;
}

/** How columns are named after attributes: `orderId` is `order_id`, or `orderid`. */
export type Naming = 'snake_case' | 'lower_case';

/** The whole typed schema of a lake table: key columns first, then the others, then our own. */
export interface TableColumns {
  readonly columns: readonly Field[];
  /** The key attributes by their original names, partition key first. */
  readonly key: readonly KeyAttribute[];
  readonly own: OwnColumnIds;
  /** Digits that number columns have ever held, by field id (an NS column's by its element id): [before the point, after it]. */
  readonly extents: ReadonlyMap<number, readonly [number, number]>;
  /** Highest field id ever given out in this table. */
  readonly lastId: number;
  /** How the table's columns are named, from its first load on. Absent: snake_case. */
  readonly naming?: Naming;
}

/** Names of our own columns. */
export const ownColumns: readonly string[] = ['_written_at', '_nulls', '_misfits'];
