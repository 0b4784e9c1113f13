// Alarms of the scheduled job, and the topic they are sent to.
// Promises: no word from the job is an alarm, since silence is what a broken job sounds like; what heals by itself at the next
// tick is none. The topic is encrypted, and only this account's alarms may write to it.
// Source: docs/how-to/hourly-job.md, "Alarms"; Amazon CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing
// data"; Amazon SNS Developer Guide, "Encrypting messages published to encrypted topics".

import { CfnOutput, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  Metric,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import type { CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import { CfnSubscription, Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import {
  lakeDimension,
  metricNamespace,
  type RunMetric,
  type TableMetric,
  tableDimension,
} from '../pipeline/reporting/run-metrics.js';
import type { RunnerProps } from './runner.js';

/** Length of a period in minutes: a run may take a quarter of an hour, and tells of a table when it is done with it. */
const periodMinutes = 15;

interface Rule {
  readonly id: string;
  readonly description: string;
  readonly metric: Metric;
  readonly above: number;
  /** Periods in a row. */
  readonly periods: number;
  readonly isSilenceBad: boolean;
}

/** Makes topic and alarms. */
export function makeAlarms(
  scope: Construct,
  props: RunnerProps,
  of: { readonly function: CfnFunction; readonly group: CfnScheduleGroup },
): void {
  const action = new SnsAction(alarmTopic(scope, props));
  const period = Duration.minutes(periodMinutes);
  const ours = (metricName: TableMetric | RunMetric, table: string | null): Metric =>
    new Metric({
      namespace: metricNamespace,
      metricName,
      dimensionsMap: {
        [lakeDimension]: props.lakeName,
        ...(table === null ? {} : { [tableDimension]: table }),
      },
      statistic: Stats.MAXIMUM,
      period,
    });
  const stale = (props.lakeTables ?? [null]).map(
    (table): Rule => ({
      id: table === null ? 'Stale' : `Stale-${table}`,
      description: `${table === null ? 'The stalest table of the lake' : `Lake table ${table}`} is older than ${props.staleSeconds} seconds, or nobody knows how old`,
      metric: ours('LagSeconds', table),
      above: props.staleSeconds,
      periods: 2,
      isSilenceBad: true,
    }),
  );
  const rules: readonly Rule[] = [
    ...stale,
    {
      id: 'Refused',
      description:
        'A table is refused: a person has to act, and the log of the job names the command',
      metric: ours('TablesRefused', null),
      above: 0,
      periods: 1,
      isSilenceBad: false,
    },
    {
      id: 'Failed',
      description: 'The job fails for a table, again and again',
      metric: ours('TablesFailed', null),
      above: 0,
      periods: 2,
      isSilenceBad: false,
    },
    {
      id: 'Broken',
      description:
        'The job itself fails, again and again: no configuration, no rights, out of memory',
      metric: new Metric({
        namespace: 'AWS/Lambda',
        metricName: 'Errors',
        dimensionsMap: { FunctionName: of.function.ref },
        statistic: Stats.SUM,
        period,
      }),
      above: 0,
      periods: 2,
      isSilenceBad: false,
    },
    {
      id: 'Unticked',
      description: 'EventBridge Scheduler cannot start the job',
      metric: new Metric({
        namespace: 'AWS/Scheduler',
        metricName: 'InvocationDroppedCount',
        dimensionsMap: { ScheduleGroup: of.group.ref },
        statistic: Stats.SUM,
        period,
      }),
      above: 0,
      periods: 2,
      isSilenceBad: false,
    },
  ];
  for (const { id, description, metric, above, periods, isSilenceBad } of rules) {
    const alarm = new Alarm(scope, id, {
      alarmDescription: `Tidelake ${props.lakeName}: ${description}`,
      metric,
      threshold: above,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: periods,
      datapointsToAlarm: periods,
      treatMissingData: isSilenceBad ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(action);
    if (isSilenceBad) alarm.addOkAction(action);
  }
}

/** AWS's own key of SNS lets no alarm write, so the topic has one that does. */
function alarmTopic(scope: Construct, props: RunnerProps): Topic {
  const { account, partition, region } = Stack.of(scope);
  const cloudWatch = new ServicePrincipal('cloudwatch.amazonaws.com');
  const conditions = { StringEquals: { 'aws:SourceAccount': account } };
  const masterKey = new Key(scope, 'AlarmKey', {
    description: `Tidelake ${props.lakeName}: alarms`,
    enableKeyRotation: true,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  masterKey.addToResourcePolicy(
    new PolicyStatement({
      principals: [cloudWatch],
      actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
      resources: ['*'],
      conditions,
    }),
  );
  const topic = new Topic(scope, 'Alarms', {
    displayName: `Tidelake ${props.lakeName}`,
    masterKey,
    enforceSSL: true,
  });
  topic.addToResourcePolicy(
    new PolicyStatement({
      sid: 'AlarmsOfThisAccount',
      principals: [cloudWatch],
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      conditions: {
        ...conditions,
        ArnLike: { 'aws:SourceArn': `arn:${partition}:cloudwatch:${region}:${account}:alarm:*` },
      },
    }),
  );
  if (props.email !== undefined) {
    const subscription = new CfnSubscription(scope, 'Mail', {
      topicArn: topic.topicArn,
      protocol: 'email',
      endpoint: props.email,
    });
    if (props.when !== undefined) subscription.cfnOptions.condition = props.when.email;
  }
  new CfnOutput(scope, 'AlarmTopicOutput', {
    value: topic.topicArn,
    description: 'Where alarms of the scheduled job are sent to',
    ...(props.when === undefined ? {} : { condition: props.when.runner }),
  }).overrideLogicalId('AlarmTopicArn');
  return topic;
}
