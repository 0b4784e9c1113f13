// One table of the scheduled job, whole: which DynamoDB table, which lake table, and every rule that holds for the two.
// Made from tidelake.config.json or from flags; plain data, so that a plan can show it.

import type { ColumnRules, UpkeepRules } from '../../schemas/table-settings.js';
import type { Target } from '../reports.js';
import type { ScheduleConfig } from './situation.js';

export interface TableJob {
  /** Name or ARN of the table in DynamoDB. */
  readonly source: string;
  /** Where the lake table is; `table` is its name. */
  readonly target: Required<Pick<Target, 'lake' | 'database' | 'table'>> & Pick<Target, 'catalog'>;
  /** Windows, view, destination of exports, limits. `deadlineMs` is set for each run. */
  readonly schedule: ScheduleConfig;
  /** How the first full export is laid out; null: as `load` chooses. */
  readonly buckets: number | null;
  readonly partition: string | null;
  /** How columns are named and retyped; absent: as `load` and `merge` do when nobody says. */
  readonly rules?: ColumnRules;
  /** What is done to keep the table bounded, by `run` only; null or absent: nothing. */
  readonly upkeep?: UpkeepRules | null;
  /** How DynamoDB is reached where it differs from the rest of the run: Region, and the role to assume in the table's
   *  account. Null: as the run reaches AWS. */
  readonly region: string | null;
  readonly roleArn: string | null;
}
