// What the command needs from the simulator: types and names only, so that it is not loaded before it is used.
// Promises that `demo` compares with the simulator's own record of what was in the table, not with what we wrote.
// Spec: DESIGN "The command"; the implementation is pipeline/simulator/index.ts.

import type * as simulator from '../simulator/index.js';

export type SimulatorModule = Pick<
  typeof simulator,
  'simulate' | 'canonicalItem' | 'canonicalLine'
>;

export type Dataset = simulator.StoryOptions['dataset'];
export const datasets: readonly Dataset[] = ['mystore', 'wild'];

/** Types of partition key and sort key, in one letter each. */
export type KeyShape = simulator.KeyShape;
export const keyShapes: readonly KeyShape[] = ['s', 'n', 'b', 'ss', 'sn', 'sb', 'nn', 'bb'];
