// The scheduled job in AWS: `run` as a Lambda function from the image, a tick every few minutes, and alarms.
// Promises: the role has the rights of `run` and no others; that of upkeep to delete only when days to keep are named, those to find
// tables and to take roles only when the settings ask for them; the image is named by whoever deploys, never built here; nothing
// of the job holds state, so removing and making it again loses nothing.
// Source: docs/how-to/hourly-job.md; AWS Lambda Developer Guide, "Create a Lambda function using a container image";
// EventBridge Scheduler User Guide, "Managing a schedule".

import { type CfnCondition, CfnResource, RemovalPolicy, Stack } from 'aws-cdk-lib';
import {
  Effect,
  Policy,
  PolicyDocument,
  PolicyStatement,
  Role,
  ServicePrincipal,
} from 'aws-cdk-lib/aws-iam';
import { CfnEventInvokeConfig, CfnFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { CfnSchedule, CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { policyOf } from '../pipeline/aws/policy.js';
import { makeFargateTask } from './fargate-task.js';
import { makeAlarms } from './runner-alarms.js';
import { configurationText, type JobPlaces } from './runner-config.js';
import type { RunnerSettings } from './runner-settings.js';

export interface RunnerProps extends RunnerSettings {
  readonly lakeName: string;
  readonly places: JobPlaces;
  /** ARNs of the DynamoDB tables. */
  readonly tableArns: readonly string[];
  /** Names of the lake tables, each with an alarm of its own; null: they are known at deployment only, and one alarm
   *  watches the stalest of all. */
  readonly lakeTables: readonly string[] | null;
  readonly mayTidy: boolean;
  /** Conditions of all that is made here, and of the subscription, where image and address may be empty. */
  readonly when?:
    | {
        readonly runner: CfnCondition;
        readonly email: CfnCondition;
        /** Of the right to delete, where the days to keep may be none. */
        readonly upkeep: CfnCondition;
      }
    | undefined;
}

/** Seconds within which a tick begins a run or is forgotten: the next one comes soon. */
const tickSecondsMax = 60;

export class Runner extends Construct {
  /** Of the job itself. */
  readonly role: Role;
  /** The right of upkeep to delete; null where it has none. */
  readonly upkeepPolicy: Policy | null;
  /** Starts tasks of Fargate; null where there are none. */
  readonly executionRole: Role | null;
  /** All roles made here. */
  readonly allRoles: readonly Role[];

  constructor(scope: Construct, id: string, props: RunnerProps) {
    super(scope, id);
    const logs = new LogGroup(this, 'Logs', {
      retention: props.logDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.role = makeRunnerRole(this, props, logs);
    this.upkeepPolicy = props.keepDays === null ? null : makeUpkeepPolicy(this, props, this.role);
    const variables = {
      TIDELAKE_CONFIG: configurationText(props),
      POWERTOOLS_SERVICE_NAME: props.lakeName,
    };
    const lambda = new CfnFunction(this, 'Function', {
      description: `Tidelake ${props.lakeName}: one round of the scheduled job`,
      packageType: 'Image',
      code: { imageUri: props.image },
      architectures: [props.architecture],
      role: this.role.roleArn,
      memorySize: props.memoryMb,
      timeout: props.timeoutSeconds,
      ephemeralStorage: { size: props.scratchMb },
      // Two runs at once are safe, but the second does the work of the first again and throws it away.
      ...(props.concurrency === null ? {} : { reservedConcurrentExecutions: props.concurrency }),
      environment: { variables },
      loggingConfig: { logGroup: logs.logGroupName, logFormat: 'Text' },
    });
    // A run that failed is followed by the next tick, which looks anew; a repetition would only come between.
    new CfnEventInvokeConfig(this, 'Once', {
      functionName: lambda.ref,
      qualifier: '$LATEST',
      maximumRetryAttempts: 0,
      maximumEventAgeInSeconds: tickSecondsMax,
    });
    const group = new CfnScheduleGroup(this, 'Ticks');
    const tickRole = makeTickRole(this, lambda);
    new CfnSchedule(this, 'Tick', {
      description: `Tidelake ${props.lakeName}: see whether there is anything to do`,
      groupName: group.ref,
      scheduleExpression: `rate(${props.tickMinutes} minutes)`,
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: lambda.attrArn,
        roleArn: tickRole.roleArn,
        retryPolicy: { maximumEventAgeInSeconds: tickSecondsMax, maximumRetryAttempts: 2 },
      },
    });
    makeAlarms(this, props, { function: lambda, group });
    this.executionRole = props.fargate
      ? makeFargateTask(this, props, { role: this.role, logs, variables })
      : null;
    this.allRoles = [
      this.role,
      tickRole,
      ...(this.executionRole === null ? [] : [this.executionRole]),
    ];
    for (const one of props.when === undefined ? [] : this.node.findAll()) {
      if (CfnResource.isCfnResource(one)) one.cfnOptions.condition ??= props.when!.runner;
    }
  }
}

/** What `run` calls, its log, and the configuration where that is an object of its own. */
function makeRunnerRole(scope: Construct, props: RunnerProps, logs: LogGroup): Role {
  const { account, partition } = Stack.of(scope);
  const lambda = new ServicePrincipal('lambda.amazonaws.com');
  const inlinePolicies: Record<string, PolicyDocument> = {
    calls: PolicyDocument.fromJson(policyOf('run', reachOf(props), { mayTidy: props.mayTidy })),
    log: new PolicyDocument({
      statements: [
        new PolicyStatement({
          actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
          resources: [logs.logGroupArn],
        }),
      ],
    }),
  };
  const uri = /^s3:\/\/([^/]+)\/(.+)$/.exec(props.config ?? '');
  if (uri !== null) {
    inlinePolicies.configuration = new PolicyDocument({
      statements: [
        new PolicyStatement({
          actions: ['s3:GetObject'],
          resources: [`arn:${partition}:s3:::${uri[1]}/${uri[2]}`],
          conditions: { StringEquals: { 'aws:ResourceAccount': account } },
        }),
      ],
    });
  }
  if (props.findTables) {
    inlinePolicies.tables = PolicyDocument.fromJson(policyOf('find-tables', props.places));
  }
  if (props.assumeRoles.length > 0) {
    const places = { ...props.places, roleArns: props.assumeRoles };
    inlinePolicies.roles = PolicyDocument.fromJson(policyOf('assume-roles', places));
  }
  const role = new Role(scope, 'Role', {
    description: `Tidelake ${props.lakeName}: the scheduled job`,
    assumedBy: lambda,
    inlinePolicies,
  });
  if (props.fargate) {
    role.assumeRolePolicy!.addStatements(
      new PolicyStatement({
        effect: Effect.ALLOW,
        principals: [new ServicePrincipal('ecs-tasks.amazonaws.com')],
        actions: ['sts:AssumeRole'],
        conditions: { StringEquals: { 'aws:SourceAccount': account } },
      }),
    );
  }
  return role;
}

/** The places of the job: with tables that are found, every table of the account and Region is one of them. */
function reachOf({ places, tableArns, findTables }: RunnerProps): JobPlaces {
  if (!findTables) return places;
  const { partition, region, account } = places;
  const anyTable = `arn:${partition}:dynamodb:${region}:${account}:table/*`;
  const exportArns = [...(places.exportArns ?? []), `${anyTable}/export/*`];
  return { ...places, tableArns: [...tableArns, anyTable], exportArns };
}

/** What `run` calls besides when it expires snapshots: a policy of its own, which may hang on a condition. */
function makeUpkeepPolicy(scope: Construct, props: RunnerProps, role: Role): Policy {
  const document = PolicyDocument.fromJson(policyOf('upkeep', props.places));
  const policy = new Policy(scope, 'Upkeep', { document, roles: [role] });
  if (props.when !== undefined) {
    (policy.node.defaultChild as CfnResource).cfnOptions.condition = props.when.upkeep;
  }
  return policy;
}

/** Starts the function, and nothing else. */
function makeTickRole(scope: Construct, lambda: CfnFunction): Role {
  return new Role(scope, 'TickRole', {
    description: 'Tidelake: starts the scheduled job',
    assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
    }),
    inlinePolicies: {
      calls: new PolicyDocument({
        statements: [
          new PolicyStatement({
            actions: ['lambda:InvokeFunction'],
            resources: [lambda.attrArn],
          }),
        ],
      }),
    },
  });
}
