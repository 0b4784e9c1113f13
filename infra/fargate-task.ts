// The scheduled job as a task of Fargate, for what takes longer than a run in Lambda may: a first load, a backfill.
// Promises: a task definition and nothing that runs by itself; not root, nothing writable but scratch space, and the longest
// time there is between SIGTERM and SIGKILL.
// Source: Amazon ECS Developer Guide, "Task definition parameters for Fargate" (stopTimeout, readonlyRootFilesystem),
// "Bind mounts".

import { CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import {
  ContainerImage,
  CpuArchitecture,
  FargateTaskDefinition,
  LogDrivers,
  OperatingSystemFamily,
} from 'aws-cdk-lib/aws-ecs';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { RunnerProps } from './runner.js';

/** Fargate's most: seconds a task has to end after it was asked to. */
const stopSecondsMax = 120;

/** Makes the definition, and gives the role that starts its tasks. Throws for an image that is in no ECR. */
export function makeFargateTask(
  scope: Construct,
  props: RunnerProps,
  job: {
    readonly role: Role;
    readonly logs: LogGroup;
    readonly variables: Readonly<Record<string, string>>;
  },
): Role {
  const { account, partition } = Stack.of(scope);
  const image = /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.[a-z.]+\/([^:@]+)[:@]/.exec(props.image);
  if (image === null) {
    throw new Error('lake.runner.image: a task of Fargate needs the URI of an image in ECR');
  }
  const [, imageAccount, imageRegion, repository] = image;
  const repositoryArn = `arn:${partition}:ecr:${imageRegion}:${imageAccount}:repository/${repository}`;
  const executionRole = new Role(scope, 'StartRole', {
    description: 'Tidelake: starts tasks of Fargate',
    assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': account } },
    }),
    inlinePolicies: {
      calls: new PolicyDocument({
        statements: [
          new PolicyStatement({ actions: ['ecr:GetAuthorizationToken'], resources: ['*'] }),
          new PolicyStatement({
            actions: [
              'ecr:BatchCheckLayerAvailability',
              'ecr:BatchGetImage',
              'ecr:GetDownloadUrlForLayer',
            ],
            resources: [repositoryArn],
          }),
          new PolicyStatement({
            actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
            resources: [job.logs.logGroupArn],
          }),
        ],
      }),
    },
  });
  const task = new FargateTaskDefinition(scope, 'Task', {
    cpu: 2048,
    memoryLimitMiB: 4096,
    ephemeralStorageGiB: 100,
    taskRole: job.role,
    executionRole: executionRole.withoutPolicyUpdates(),
    runtimePlatform: {
      cpuArchitecture:
        props.architecture === 'arm64' ? CpuArchitecture.ARM64 : CpuArchitecture.X86_64,
      operatingSystemFamily: OperatingSystemFamily.LINUX,
    },
    volumes: [{ name: 'scratch' }],
  });
  const container = task.addContainer('tidelake', {
    image: ContainerImage.fromRegistry(props.image),
    // The image begins as Lambda wants it; here it is the command.
    entryPoint: ['node', '/var/task/dist/pipeline/cli/main.js'],
    command: [
      ...['run', '--wait', '--grace-seconds', `${stopSecondsMax}`, '--metrics', 'emf'],
      // Log lines that CloudWatch can be asked about, as the function's are.
      ...['--json', '--log-format', 'json'],
    ],
    environment: { ...job.variables },
    user: '1000:1000',
    readonlyRootFilesystem: true,
    stopTimeout: Duration.seconds(stopSecondsMax),
    logging: LogDrivers.awsLogs({ logGroup: job.logs, streamPrefix: 'fargate' }),
  });
  // Of the image's VOLUME, whose permissions the empty volume gets: at another path it would be root's alone.
  container.addMountPoints({ containerPath: '/tmp', sourceVolume: 'scratch', readOnly: false });
  new CfnOutput(scope, 'TaskOutput', {
    value: task.taskDefinitionArn,
    description: 'Task definition of Fargate for first loads and backfills',
  }).overrideLogicalId('TaskDefinitionArn');
  return executionRole;
}
