// What the scheduled job reads before it decides, as plain data: the lake, the table, its recovery window, known exports,
// the clock, the configuration. All instants are milliseconds since the epoch, UTC; no field is taken from anywhere else.
// Sources: Amazon DynamoDB API Reference, DescribeTable, DescribeContinuousBackups, ListExports, DescribeExport.

import type { ErrorFacts } from '../../schemas/errors.js';
import type { ExportView } from '../../schemas/export-manifest.js';
import type {
  Destination,
  KnownExport,
  PitrFacts,
  TableFacts,
} from '../../schemas/table-exports.js';
import type { LakeGap } from '../lake/lake-state.js';

export interface Situation {
  /** The lake table; null: there is none yet. */
  readonly lake: LakeFacts | null;
  /** DescribeTable; null: there is no such table. */
  readonly table: TableFacts | null;
  readonly pitr: PitrFacts;
  /** Exports that can matter, from ListExports, DescribeExport and folders in S3, each once. Those of other tables, and
   *  windows that are in the lake, do no harm. */
  readonly exports: readonly KnownExport[];
  /** S3 prefixes that were read in this run: `exports` has what lies there. */
  readonly looked: readonly string[];
  /** The runner's clock. It never decides what a window is. */
  readonly nowMs: number;
  readonly config: ScheduleConfig;
}

export interface LakeFacts {
  readonly epoch: number;
  readonly tableId: string;
  readonly watermarkMs: number;
  readonly gaps: readonly LakeGap[];
  /** Why the watermark cannot be believed, as found in the table; null when it can. */
  readonly doubt: ErrorFacts | null;
}

export interface ScheduleConfig {
  /** Name of the lake table, for messages and commands. */
  readonly table: string;
  /** Length of a window; a divisor of a day, 15 at least, so that midnight is an edge. */
  readonly grainMinutes: number;
  readonly view: ExportView;
  /** Age of the watermark above which the table counts as late. */
  readonly lagMinutesMax: number;
  readonly destination: Destination;
  /** Whether a chain that cannot go on is followed by a new epoch without asking. */
  readonly mayReseed: boolean;
  /** Windows of this table under way at once. */
  readonly exportsAtOnceMax: number;
  /** Exports asked for one window, while each fails. */
  readonly attemptsMax: number;
  /** Time after which an export that is still in progress counts as stuck. */
  readonly stuckMinutesMax: number;
  /** Instant at which the run must be over; null: no limit. */
  readonly deadlineMs: number | null;
  /** Whole second of the full export that a new lake table begins with; absent: the newest edge of the grain. */
  readonly baselineMs?: number;
  /** Whether a lake table that began with another instant is taken back to that one. */
  readonly mayRewind?: boolean;
  /** No window that ends after it is asked for or merged; absent: all are. */
  readonly untilMs?: number;
}
