// All units by name: what worker threads, and one day machines, can run.

import { encodeUnit } from './encode-unit.js';
import { markUnit } from './mark-unit.js';
import { mergeUnit } from './merge-unit.js';
import { renderUnit } from './render-unit.js';
import { rerouteUnit } from './reroute-unit.js';
import { scanUnit } from './scan-unit.js';
import type { UnitContext, UnitResult } from './unit.js';

/** Units by name. */
export const units: Readonly<
  Record<string, (input: never, context: UnitContext) => Promise<UnitResult<unknown>>>
> = {
  scan: scanUnit,
  encode: encodeUnit,
  mark: markUnit,
  merge: mergeUnit,
  render: renderUnit,
  reroute: rerouteUnit,
};
