// All units by name: what worker threads, and one day machines, can run. Each is loaded when it first runs, so that a thread
// that scans does not wait for what merges need.

import type { UnitContext, UnitResult } from './unit.js';

/** Units by name. */
export const units: Readonly<
  Record<string, (input: never, context: UnitContext) => Promise<UnitResult<unknown>>>
> = {
  scan: async (...args) => (await import('./scan-unit.js')).scanUnit(...args),
  encode: async (...args) => (await import('./encode-unit.js')).encodeUnit(...args),
  mark: async (...args) => (await import('./mark-unit.js')).markUnit(...args),
  merge: async (...args) => (await import('./merge-unit.js')).mergeUnit(...args),
  render: async (...args) => (await import('./render-unit.js')).renderUnit(...args),
  reroute: async (...args) => (await import('./reroute-unit.js')).rerouteUnit(...args),
};
