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

/** Objects copied to this machine at once, for engines that read files; each takes one piece of memory. */
export const copyRunsMax = 8;
/** Bytes of one such piece: large enough that the time of a request hardly counts. */
export const copyPieceBytes: number = 4 * 1024 * 1024;
/** Bytes between two wanted ranges of an object that are read along with them: cheaper than another request. */
export const rangeGapBytesMax: number = 256 * 1024;

/** Tries of one request by the SDK, the first one counted; delays grow from 0.1 s (throttled: 0.5 s) to 20 s. */
export const awsTriesMax = 8;
/** Further rounds of such tries when S3 asks to slow down to the end: with the waits between, some five minutes. */
export const throttledRoundsMax = 8;
/** Longest wait between two rounds, in ms; the first is at most a second. */
export const throttledWaitMsMax = 30_000;
/** Time for a connection to be made, in ms. */
export const connectMsMax = 10_000;
/** Silence after which a connection counts as dead, in ms. The SDK has no such bound of its own. */
export const socketIdleMsMax = 60_000;
/** Connections to one service at most: requests under way, and bodies whose readers take their time. */
export const socketsMax = 256;
/** Silence in the middle of an object's body after which the rest is asked for again, in ms. */
export const bodyIdleMsMax = 30_000;
/** Times the rest of a body is asked for without one byte of progress. */
export const resumesMax = 8;
/** Requests to S3 under way at once, from one thread: 128 MiB of parts at most. */
export const requestsAtOnceMax = 32;
/** Bytes of a part of a multipart upload; S3 wants 5 MiB at least. What is smaller as a whole is put in one request. */
export const partBytesMin: number = 8 * 1024 * 1024;
/** Parts of one size; then the size doubles, since S3 takes 10,000 parts: 1.2 TiB in all. */
export const partsPerSizeMax = 2_000;
/** Parts of one upload under way at once; memory is that many parts and one. */
export const partsAtOnceMax = 3;

/** Lengths that AWS Glue takes. Its documents count in bytes here and in characters there: texts stay below either. */
export const glueTextMax: {
  readonly name: number;
  readonly comment: number;
  readonly columnType: number;
  readonly parameterValue: number;
} = { name: 255, comment: 255, columnType: 131_072, parameterValue: 512_000 };
/** Attempts of one commit in Glue: each is repeated only where it cannot do harm, with a wait between. */
export const glueCommitTriesMax = 5;
/** Longest wait between two of them, in ms; the first is a quarter of a second. */
export const glueCommitWaitMsMax = 4_000;
/** Metadata files read back from the current one, to find out whether a commit is among them. */
export const metadataChainMax = 20;

/** First and longest wait between two looks at a query that runs in Athena, in ms. */
export const athenaPollMsMin = 250;
export const athenaPollMsMax = 5_000;
/** Longest time to wait for a query in Athena, in ms: its own limit is 30 minutes unless raised, four hours at most. */
export const athenaWaitMsMax: number = 5 * 3_600_000;
/** Longest literal of an execution parameter, in characters (Athena API Reference, StartQueryExecution). */
export const athenaParameterMax = 1024;
/** Longest text of a query, in bytes (Amazon Athena User Guide, "Service Quotas"). */
export const athenaQueryBytesMax = 262_144;

/** Shortest and longest window of an incremental export, in ms (Amazon DynamoDB Developer Guide, "Quotas"). */
export const windowMsMin: number = 15 * 60_000;
export const windowMsMax: number = 24 * 3_600_000;
export const dayMinutes = 1440;
/** Time a ClientToken of an export stands for the export it began, in ms: 8 hours, less an hour for clocks that differ. */
export const clientTokenMs: number = 7 * 3_600_000;
/** Time between two looks at exports in progress, in ms: real ones take ten minutes and more. */
export const exportPollMs = 60_000;
/** No load and no merge is begun so shortly before a run must be over, in ms: a commit must not be cut off. */
export const commitReserveMs = 20_000;
/** No upkeep is begun so shortly before the last moment at which a load or a merge could be, in ms. */
export const upkeepReserveMs = 60_000;
/** Upkeep in progress is waited for until so long before that moment, in ms: the round's report is still to be given. */
export const upkeepLeaveMs = 5_000;
/** Age up to which a round believes what DynamoDB said of a table and its recovery, in ms: they move by the minute. */
export const tableFactsAgeMsMax = 60_000;
/** Looks, requests and merges of one round for one table: a chain of 35 days in windows of 15 minutes, asked for eight at a
 *  time after looking for each, stays below. */
export const roundStepsMax = 2_000;

/** Time that a snapshot's files stay after the next one was committed, in ms, unless it is told otherwise: a query that
 *  began on it may run for hours (Athena: 30 minutes, four hours at most). */
export const readersGraceMs: number = 6 * 3_600_000;
/** Age from which a file that nobody refers to is no work in progress any more, in ms: longer than the longest load. */
export const orphanAgeMsMin: number = 3 * 86_400_000;
/** Snapshots that leave a table in one commit at most: their manifests are read before, and memory is that of their names. */
export const expiredAtOnceMax = 2_000;
/** Fewest older metadata files that stay: a commit in Glue whose answer was lost looks for itself in the latest 20. */
export const metadataVersionsMin = 20;
/** Logs of metadata files followed back to find old ones, each of a hundred: a run that has more goes on with the next. */
export const metadataLogsMax = 1_000;
/** Files removed at once. */
export const removalsAtOnce = 16;
/** Times a compaction looks again at partitions that others changed while it wrote them. */
export const compactRoundsMax = 3;
/** Snapshots that may leave from which on expiry is due by itself: a day of hourly windows. */
export const expiryDueSnapshots = 24;
/** Metadata files of old versions from which on expiry is due by itself. */
export const metadataFilesDueMin = 200;
/** Small files of one partition from which on compaction is due by itself: readers open each. Merges keep to fewer. */
export const smallFilesDueMin = 16;
/** Delete files of one partition from which on compaction is due by itself. */
export const deleteFilesDueMin = 16;
