// The simulator: a DynamoDB table with a past, which writes exports as AWS writes them.
// Promises: deterministic by seed; shares no code with the transforms, so it can be the oracle of their tests.
// Source: Amazon DynamoDB Developer Guide, "DynamoDB table exports, output format".

export {
  attributeFromParsed,
  canonicalItem,
  canonicalKey,
  canonicalLine,
  canonicalNumber,
  canonicalValue,
  itemFromLine,
  itemFromParsed,
} from './canonical.js';
export { attributeJson, type Item, itemJson, keysOf } from './item.js';
export { type MystoreOptions, MystoreTable, mystoreKey } from './mystore.js';
export type { Change, Image, TablePast } from './past.js';
export { hashText, mix32, Random, type Seed } from './random.js';
export {
  type Story,
  type StoryOptions,
  type StoryWindow,
  simulate,
  storyStartMs,
} from './story.js';
export { SimulatedTable, type SimulatedTableOptions, simulatedTableArn } from './table.js';
export {
  type KeyShape,
  keyShapes,
  type WildOptions,
  WildTable,
  wildItem,
  wildKey,
  wildKeys,
} from './wild.js';
export {
  type ExportOptions,
  type FullExportOptions,
  fullExport,
  type IncrementalExportOptions,
  incrementalExport,
  type KeyLayout,
  type WrittenExport,
} from './write-export.js';
