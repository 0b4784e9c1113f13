// How long the suites of faults run: rounds as they are meant, or a share of them.
// Promises: TIDELAKE_FAULT_ROUNDS=0.1 runs a tenth, and at least one round of each kind.

/** `count` rounds, scaled by TIDELAKE_FAULT_ROUNDS. */
export function rounds(count: number): number {
  const scale = Number(process.env.TIDELAKE_FAULT_ROUNDS ?? '1');
  return Math.max(1, Math.round(count * (Number.isFinite(scale) && scale > 0 ? scale : 1)));
}
