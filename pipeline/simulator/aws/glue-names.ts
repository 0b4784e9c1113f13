// Names and times as Glue's requests and answers have them.
// Source: AWS Glue Web API Reference, "Table" (names are folded to lower case), AWS JSON 1.1 protocol (epoch seconds).

import type { Json } from './glue-call.js';

/** The account whose catalog is meant when none is named. */
const account = '123456789012';

export function catalogOf(input: Json): string {
  return typeof input.CatalogId === 'string' ? input.CatalogId : account;
}

/** A member that was checked to be text. */
export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function lowered(value: unknown): string {
  return text(value).toLowerCase();
}

export function secondsOf(ms: number): number {
  return Math.floor(ms / 1000);
}
