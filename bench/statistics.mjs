// Many runs of one way as one figure.
// Promises the median run for times, the worst run for memory, and the range beside them.

/** The middle value; of an even number the mean of the two in the middle. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** @param {readonly {wall: number, cpu: number, peak: number, own: number}[]} runs */
export function summarize(runs) {
  const walls = runs.map(({ wall }) => wall);
  const owns = runs.map(({ own }) => own);
  return {
    wall: median(walls),
    wallMin: Math.min(...walls),
    wallMax: Math.max(...walls),
    cpu: median(runs.map(({ cpu }) => cpu)),
    peak: Math.max(...runs.map(({ peak }) => peak)),
    /** What the process itself says the work took, its start apart. */
    own: median(owns),
    ownMin: Math.min(...owns),
    ownMax: Math.max(...owns),
  };
}
