// DynamoDB's attribute values as they stand in DynamoDB JSON.
// Source: Amazon DynamoDB Developer Guide, "Supported data types and naming rules" and "DynamoDB table exports, output format".

/** The ten type tags of DynamoDB JSON. */
export type Tag = 'S' | 'N' | 'B' | 'BOOL' | 'NULL' | 'SS' | 'NS' | 'BS' | 'L' | 'M';

/** The tags in one fixed order, which decides ties. */
export const tags: readonly Tag[] = ['S', 'N', 'B', 'BOOL', 'SS', 'NS', 'BS', 'L', 'M', 'NULL'];

/** An attribute value as a plain object: `{S: 'x'}`, `{N: '1'}`, `{M: Map}` … Used off the hot path only. */
export type AttributeValue =
  | { readonly S: string }
  | { readonly N: string }
  | { readonly B: string }
  | { readonly BOOL: boolean }
  | { readonly NULL: true }
  | { readonly SS: readonly string[] }
  | { readonly NS: readonly string[] }
  | { readonly BS: readonly string[] }
  | { readonly L: readonly AttributeValue[] }
  | { readonly M: ReadonlyMap<string, AttributeValue> };

/** Types a key attribute can have. */
export type KeyTag = 'S' | 'N' | 'B';

/** One attribute of the primary key, partition key first. */
export interface KeyAttribute {
  readonly name: string;
  readonly tag: KeyTag;
}
