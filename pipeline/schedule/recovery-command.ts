// The command that switches point-in-time recovery on, for what a refusal says to do next.
// Source: AWS CLI Command Reference, "update-continuous-backups".

/** @param periodDays how far back recovery is to reach; left out: as AWS has it by itself */
export function recoveryCommand(table: string, periodDays?: number): string {
  const period = periodDays === undefined ? '' : `,RecoveryPeriodInDays=${periodDays}`;
  return `aws dynamodb update-continuous-backups --table-name ${table} --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true${period}`;
}
