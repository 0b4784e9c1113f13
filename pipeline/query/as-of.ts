// `--as-of`: an instant of the data's time, or a snapshot by its id.
// Promises: a text that is neither is a usage error, never a guess; times without a zone are UTC.
// Spec: DESIGN.md, "The command" (query); ISO 8601.

import { TidelakeError } from '../../schemas/errors.js';

/** What a person asked for: the newest state at or before an instant, or one snapshot. */
export type AsOf = { readonly watermarkMs: number } | { readonly snapshotId: bigint };

/** Parses `2026-11-20`, `2026-11-20T09:00Z`, `2026-11-20T09:00:00.5+02:00` or `snapshot:123`. Throws USAGE. */
export function parseAsOf(text: string): AsOf {
  const id = /^snapshot:(\d{1,19})$/.exec(text.trim());
  if (id !== null) return { snapshotId: BigInt(id[1]!) };
  const found =
    /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2})?(\.\d{1,9})?\s*(Z|[-+]\d{2}:?\d{2})?)?$/i.exec(
      text.trim(),
    );
  if (found !== null) {
    const [, day, time = '00:00', seconds = ':00', fraction = '', zone = 'Z'] = found;
    const offset = zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone.toUpperCase();
    const ms = Date.parse(`${day}T${time}${seconds}${fraction.slice(0, 4)}${offset}`);
    // Date.parse lets 31 February pass as 3 March.
    const isReal =
      !Number.isNaN(ms) && new Date(Date.parse(`${day}T00:00:00Z`)).toISOString().startsWith(day!);
    if (isReal) return { watermarkMs: ms };
  }
  throw new TidelakeError({
    code: 'USAGE',
    what: `${JSON.stringify(text.slice(0, 60))} is neither a time nor a snapshot`,
    meaning: 'the query was not run',
    next: '--as-of 2026-11-20T09:00:00Z, or --as-of snapshot:ID with an id of tidelake log',
  });
}
