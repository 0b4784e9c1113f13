// Every bound in one place, with its unit in its name and its reason beside it.

/** Longest line of a data file: the worst legal record (two 400 KB images, JSON-escaped) is about 6 MB. */
export const lineBytesMax: number = 16 * 1024 * 1024;
/** Deepest nesting of attribute values accepted. DynamoDB allows 32 levels. */
export const depthMax = 100;
/** Highest ratio of decompressed to compressed bytes of a data file, above `bombBytesMin`. gzip reaches 1029:1. */
export const inflateRatioMax = 400;
/** Decompressed bytes below which the ratio is not looked at. */
export const bombBytesMin: number = 64 * 1024 * 1024;
/** Columns a lake table has at most; the rarest attributes beyond stay in `_misfits`. */
export const columnsMax = 1000;
/** Distinct attribute names of a table that are told apart while scanning; names first seen later stay in `_misfits`. */
export const attributeNamesMax = 65_536;
/** A map with more distinct names than this, and one value type, is a dictionary: map<string, V>. */
export const structNamesMax = 64;
/** A map with more distinct names than this and no one value type becomes DynamoDB JSON text. */
export const mixedNamesMax = 256;
/** Share of an attribute's rows that may be misfits before a nested place becomes DynamoDB JSON text. */
export const misfitShareMax = 0.1;
/** Longest column name, in characters ([a-z0-9_], so also bytes). */
export const columnNameMax = 128;
/** Largest manifest file read, in bytes. */
export const manifestBytesMax: number = 256 * 1024 * 1024;
/** Table size up to which a number column is retyped by itself, in bytes of data files. */
export const retypeBytesMax: number = 10 * 1024 * 1024 * 1024;
/** Tries of one commit when others commit first: more would hide that two schedules fight over one table. */
export const commitAttemptsMax = 10;
/** Pause after the first lost race, in ms; doubled each time, and cut by chance so that rivals do not march in step. */
export const commitPauseMs = 100;
/** Longest such pause, in ms. */
export const commitPauseMsMax = 5_000;
/** Older metadata files looked into for a snapshot that was expired: as many as a table's metadata log usually has. */
export const metadataLogReadsMax = 100;
/** Version of the table properties Tidelake writes; a higher one in a table is refused. */
export const formatVersion = 1;
