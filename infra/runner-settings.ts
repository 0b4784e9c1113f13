// What a deployment says of the scheduled job.
// Promises: every value has its unit in its name; each is checked in settings.ts or by a parameter of the template.
// Source: docs/how-to/hourly-job.md.

export interface RunnerSettings {
  /** URI of the image in ECR of this Region, with a tag or, better, a digest. */
  readonly image: string;
  /** What the image was built for. */
  readonly architecture: 'arm64' | 'x86_64';
  /** Minutes between two ticks, 2 to 15. */
  readonly tickMinutes: number;
  /** Memory in MB; a second processor comes with 1,770 and a third with 3,540. */
  readonly memoryMb: number;
  /** Space for spilled rows in MB, 512 to 10,240. */
  readonly scratchMb: number;
  /** Seconds one run may take, 60 to 900, which is Lambda's limit. */
  readonly timeoutSeconds: number;
  /** Runs at once that the account sets aside for the job, and that it may not exceed; null: no limit of its own. */
  readonly concurrency: number | null;
  /** Logs are deleted after this many days, one of the numbers that CloudWatch knows. */
  readonly logDays: number;
  /** Age of a lake table, in seconds, above which there is an alarm. */
  readonly staleSeconds: number;
  /** Where alarms are sent to; the address has to confirm it. */
  readonly email?: string | undefined;
  /** S3 URI of a `tidelake.config.json`. Without it the configuration names the tables of the stack, with defaults. */
  readonly config?: string | undefined;
  /** Days of data that stay reachable in the lake's tables, 1 to 36,500. The job's role may then delete files of the lake that
   *  no snapshot has any more, and the configuration of the stack asks for it; one named by `config` says itself what is
   *  kept. Null: the role may delete nothing. */
  readonly keepDays: number | null;
  /** ARNs of the roles that entries of `config` name as `roleArn`; the job's role may take these and no others. */
  readonly assumeRoles: readonly string[];
  /** Entries of `config` name tables by prefix or tag. The job's role may then list the tables of this account and Region, and
   *  export any of them, since nobody knows their names at deployment. */
  readonly findTables: boolean;
  /** Also make a task definition for Fargate, for work that takes longer than a run in Lambda may. */
  readonly fargate: boolean;
}

/** The defaults, in one place for the CDK app and the plain template. */
export const runnerDefaults: Omit<RunnerSettings, 'image' | 'email' | 'config'> = {
  architecture: 'x86_64',
  tickMinutes: 5,
  memoryMb: 3008,
  scratchMb: 4096,
  timeoutSeconds: 900,
  concurrency: 1,
  logDays: 30,
  staleSeconds: 10_800,
  keepDays: null,
  assumeRoles: [],
  findTables: false,
  fargate: false,
};
