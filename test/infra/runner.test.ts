// The scheduled job in the stack: what must be true of function, tick, roles and alarms.
// Promises: expectations are written from the duties of the job, by hand; roles are asked through the evaluator.
// Source: docs/how-to/hourly-job.md; AWS Well-Architected rules by cdk-nag.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { configurationText } from '../../infra/runner-config.js';
import { runnerDefaults } from '../../infra/runner-settings.js';
import { parseConfig } from '../../pipeline/cli/config.js';
import { readDockerfile } from '../image/dockerfile.js';
import { type IamRequest, type Statement, verdictOf } from './iam.js';
import { account, type Resource, region, type Synthesized, synthesize } from './stack.js';

const image = `${account}.dkr.ecr.${region}.amazonaws.com/tidelake:0.1.0`;
const runner = { ...runnerDefaults, image, lakeTables: ['mystore', 'clients'] };

let whole: Synthesized;
let plain: Synthesized;

beforeAll(() => {
  whole = synthesize({ runner: { ...runner, fargate: true, email: 'ops@example.com' } }, true);
  vi.stubEnv('CDK_VALIDATION', 'false');
  plain = synthesize({ runner });
});

const ofType = (stack: Synthesized, type: string): readonly Resource[] =>
  Object.values(stack.resources).filter((one) => one.Type === type);
const alarms = (stack: Synthesized) =>
  ofType(stack, 'AWS::CloudWatch::Alarm').map((one) => one.Properties);

describe('a stack without an image', () => {
  it('has no job, and is what it was', () => {
    const stack = synthesize();
    for (const type of ['AWS::Lambda::Function', 'AWS::Scheduler::Schedule', 'AWS::SNS::Topic']) {
      stack.template.resourceCountIs(type, 0);
    }
  });
});

describe('the function', () => {
  it('is the image with its limits, once at a time, and repeats nothing by itself', () => {
    expect(plain.only('AWS::Lambda::Function')).toMatchObject({
      PackageType: 'Image',
      Code: { ImageUri: image },
      Architectures: ['x86_64'],
      MemorySize: 3008,
      Timeout: 900,
      EphemeralStorage: { Size: 4096 },
      ReservedConcurrentExecutions: 1,
    });
    expect(plain.only('AWS::Lambda::EventInvokeConfig')).toMatchObject({
      MaximumRetryAttempts: 0,
      MaximumEventAgeInSeconds: 60,
    });
  });

  it('knows lake, tables and bucket from its configuration, which is JSON', () => {
    const { Environment: environment } = plain.only('AWS::Lambda::Function') as {
      Environment: { Variables: Record<string, string> };
    };
    expect(environment.Variables.POWERTOOLS_SERVICE_NAME).toBe('shop');
    expect(JSON.parse(environment.Variables.TIDELAKE_CONFIG!)).toEqual({
      lake: `s3://shop-lake-${account}-${region}/lake`,
      database: 'orders_lake',
      catalog: 'glue',
      aws: { expectedBucketOwner: account },
      exports: { bucket: `shop-exports-${account}-${region}`, prefix: 'exports' },
      tables: [{ name: `arn:aws:dynamodb:${region}:${account}:table/mystore` }],
    });
  });

  it('gets a configuration that the job takes, also with a key and without a prefix', () => {
    const places = { partition: 'aws', region, account, database: 'orders_lake' };
    const tableArns = ['mystore', 'clients'].map(
      (name) => `arn:aws:dynamodb:${region}:${account}:table/${name}`,
    );
    const keyArn = `arn:aws:kms:${region}:${account}:key/01234567-89ab-cdef-0123-456789abcdef`;
    for (const [exports, lake] of [
      [
        { bucket: 'shop-exports', prefix: 'exports' },
        { bucket: 'shop-lake', prefix: 'lake' },
      ],
      [
        { bucket: 'shop-exports', prefix: '', keyArn },
        { bucket: 'shop-lake', prefix: '' },
      ],
    ] as const) {
      const text = configurationText({ places: { ...places, exports, lake }, tableArns });
      const { tables } = parseConfig(Buffer.from(text));
      expect(tables?.map(({ name }) => name)).toEqual(tableArns);
    }
  });

  it('without a limit of its own takes none from the account', () => {
    const stack = synthesize({ runner: { ...runner, concurrency: null } });
    expect(stack.only('AWS::Lambda::Function')).not.toHaveProperty('ReservedConcurrentExecutions');
  });

  it('refuses more tables than a variable holds, and names the way out', () => {
    const tableArns = Array.from(
      { length: 60 },
      (_, n) => `arn:aws:dynamodb:${region}:${account}:table/orders-${n}`,
    );
    expect(() => synthesize({ tableArns, runner })).toThrow(/lake\.runner\.config/);
    const config = 's3://company/tidelake.config.json';
    const stack = synthesize({ tableArns, runner: { ...runner, config } });
    expect(stack.only('AWS::Lambda::Function')).toMatchObject({
      Environment: { Variables: { TIDELAKE_CONFIG: config } },
    });
    const read = (resource: string, owner: string): IamRequest => ({
      action: 's3:GetObject',
      resource,
      context: { 'aws:ResourceAccount': owner },
    });
    const object = 'arn:aws:s3:::company/tidelake.config.json';
    expect(verdictOf(stack.role('Job'), read(object, account))).toBe('allowed');
    expect(verdictOf(stack.role('Job'), read(object, '999999999999'))).toBe('not allowed');
    expect(verdictOf(stack.role('Job'), read(`${object}.other`, account))).toBe('not allowed');
  });

  it('keeps its log for some days only', () => {
    expect(plain.only('AWS::Logs::LogGroup')).toMatchObject({ RetentionInDays: 30 });
  });
});

describe('the tick', () => {
  it('comes every few minutes, and an old one is forgotten', () => {
    expect(plain.only('AWS::Scheduler::Schedule')).toMatchObject({
      ScheduleExpression: 'rate(5 minutes)',
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: { RetryPolicy: { MaximumEventAgeInSeconds: 60 } },
    });
  });

  it('may start this function and nothing else', () => {
    const id = Object.keys(plain.resources).find((one) => one.startsWith('LakeJobFunction'));
    const invoke = (resource: string) =>
      verdictOf(plain.role('JobTick'), { action: 'lambda:InvokeFunction', resource });
    expect(invoke(`arn:aws:${id}`)).toBe('allowed');
    expect(invoke(`arn:aws:lambda:${region}:${account}:function:other`)).toBe('not allowed');
  });
});

describe('the role of the job', () => {
  const owned = { 'aws:ResourceAccount': account };
  const table = `arn:aws:dynamodb:${region}:${account}:table/mystore`;
  const file = (kind: string, key: string) =>
    `arn:aws:s3:::shop-${kind}-${account}-${region}/${key}`;
  const metadata = file('lake', 'lake/orders_lake/mystore/metadata/v2.metadata.json');
  const may = (action: string, resource: string, context: Record<string, string> = {}) =>
    verdictOf(plain.role('Job'), { action, resource, context: { ...owned, ...context } });

  it('asks for exports, reads them, and commits', () => {
    expect(may('dynamodb:ExportTableToPointInTime', table)).toBe('allowed');
    expect(may('dynamodb:DescribeContinuousBackups', table)).toBe('allowed');
    expect(may('s3:PutObject', file('exports', 'exports/mystore/x'))).toBe('allowed');
    expect(may('s3:GetObject', file('exports', 'exports/mystore/x'))).toBe('allowed');
    expect(may('s3:PutObject', file('lake', 'lake/orders_lake/mystore/data/a'))).toBe('allowed');
    expect(
      may('glue:UpdateTable', `arn:aws:glue:${region}:${account}:table/orders_lake/mystore`),
    ).toBe('allowed');
  });

  it('never reads an item, deletes, overwrites metadata, or gives rights', () => {
    for (const [action, resource] of [
      ['dynamodb:Scan', table],
      ['dynamodb:Query', table],
      ['dynamodb:GetItem', table],
      ['dynamodb:PutItem', table],
      ['dynamodb:DeleteTable', table],
      ['dynamodb:UpdateContinuousBackups', table],
      ['s3:DeleteObject', file('lake', 'lake/orders_lake/mystore/data/a')],
      ['s3:DeleteObject', file('exports', 'exports/mystore/x')],
      ['glue:DeleteTable', `arn:aws:glue:${region}:${account}:table/orders_lake/mystore`],
      ['iam:PassRole', `arn:aws:iam::${account}:role/x`],
    ] as const) {
      expect([action, may(action, resource)]).not.toEqual([action, 'allowed']);
    }
    expect(may('s3:PutObject', metadata, { 's3:ObjectCreationOperation': 'true' })).toBe('denied');
  });

  it('deletes what no snapshot has when days to keep are named, and its configuration asks for it', () => {
    const keeping = synthesize({ runner: { ...runner, keepDays: 30 } });
    const remove = (stack: Synthesized, resource: string, owner = account) =>
      verdictOf(stack.role('Job'), {
        action: 's3:DeleteObject',
        resource,
        context: { 'aws:ResourceAccount': owner },
      });
    const data = file('lake', 'lake/orders_lake/mystore/data/a');
    expect(remove(plain, data)).toBe('not allowed');
    expect(remove(keeping, data)).toBe('allowed');
    expect(remove(keeping, metadata)).toBe('allowed');
    expect(remove(keeping, data, '999999999999')).toBe('not allowed');
    for (const kept of [file('exports', 'exports/mystore/data/x'), file('lake', 'other/a')]) {
      expect(remove(keeping, kept)).toBe('not allowed');
    }
    const configuration = (stack: Synthesized): string => {
      const { Environment: environment } = stack.only('AWS::Lambda::Function') as {
        Environment: { Variables: Record<string, string> };
      };
      return environment.Variables.TIDELAKE_CONFIG!;
    };
    expect(parseConfig(Buffer.from(configuration(plain))).defaults).toBeUndefined();
    const { defaults, tables } = parseConfig(Buffer.from(configuration(keeping)));
    expect(defaults).toEqual({ upkeep: { keepDays: 30, compact: true } });
    expect(tables).toHaveLength(1);
  });

  it('takes the roles that are named, and no others', () => {
    const named = 'arn:aws:iam::210987654321:role/tidelake-exporter';
    const taking = synthesize({ runner: { ...runner, assumeRoles: [named] } });
    const take = (stack: Synthesized, resource: string) =>
      verdictOf(stack.role('Job'), { action: 'sts:AssumeRole', resource });
    expect(take(plain, named)).toBe('not allowed');
    expect(take(taking, named)).toBe('allowed');
    expect(take(taking, 'arn:aws:iam::210987654321:role/admin')).toBe('not allowed');
  });

  it('finds tables by prefix and tag, and exports them, only when it is to find any', () => {
    const finding = synthesize({ runner: { ...runner, findTables: true } });
    const found = `arn:aws:dynamodb:${region}:${account}:table/shop-new`;
    const elsewhere = found.replace(account, '210987654321');
    for (const [action, resource] of [
      ['dynamodb:ListTables', '*'],
      ['dynamodb:ListTagsOfResource', found],
      ['dynamodb:DescribeTable', found],
      ['dynamodb:DescribeContinuousBackups', found],
      ['dynamodb:ExportTableToPointInTime', found],
      ['dynamodb:DescribeExport', `${found}/export/01234567890123-abcdef01`],
    ] as const) {
      const verdict = (stack: Synthesized) => verdictOf(stack.role('Job'), { action, resource });
      expect([action, verdict(plain)]).toEqual([action, 'not allowed']);
      expect([action, verdict(finding)]).toEqual([action, 'allowed']);
    }
    for (const [action, resource] of [
      ['dynamodb:ExportTableToPointInTime', elsewhere],
      ['dynamodb:Scan', found],
      ['dynamodb:DeleteTable', found],
    ] as const) {
      const verdict = verdictOf(finding.role('Job'), { action, resource });
      expect([action, verdict]).toEqual([action, 'not allowed']);
    }
    // What it may do with the tables of the stack stays.
    const own = { action: 'dynamodb:DescribeExport', resource: `${table}/export/1` };
    expect(verdictOf(finding.role('Job'), own)).toBe('allowed');
  });

  it('stands under all security checks with every right there is to ask for', () => {
    const assumeRoles = ['arn:aws:iam::210987654321:role/tidelake-exporter'];
    const wide = { ...runner, keepDays: 30, findTables: true, assumeRoles };
    expect(() => synthesize({ runner: wide }, true)).not.toThrow();
  });

  it('can be taken by the services that run it only', () => {
    const trustOf = (stack: Synthesized): readonly unknown[] => {
      const id = Object.keys(stack.resources).find((one) => one.startsWith('LakeJobRole'))!;
      const document = stack.resources[id]!.Properties.AssumeRolePolicyDocument;
      const statements = (document as { Statement: unknown }).Statement;
      return (Array.isArray(statements) ? statements : [statements]).map(
        (one) => (one as { Principal: unknown }).Principal,
      );
    };
    expect(trustOf(plain)).toEqual([{ Service: 'lambda.amazonaws.com' }]);
    expect(trustOf(whole)).toEqual([
      { Service: 'lambda.amazonaws.com' },
      { Service: 'ecs-tasks.amazonaws.com' },
    ]);
  });
});

describe('alarms', () => {
  it('take silence about a table for staleness, table by table', () => {
    const stale = alarms(plain).filter(({ MetricName }) => MetricName === 'LagSeconds');
    expect(stale.map(({ Dimensions }) => Dimensions)).toEqual(
      ['mystore', 'clients'].map((table) => [
        { Name: 'service', Value: 'shop' },
        { Name: 'table', Value: table },
      ]),
    );
    for (const alarm of stale) {
      expect(alarm).toMatchObject({
        Namespace: 'Tidelake',
        Statistic: 'Maximum',
        Threshold: 10_800,
        ComparisonOperator: 'GreaterThanThreshold',
        TreatMissingData: 'breaching',
      });
    }
  });

  it('tell of refusals at once, and of failures when they do not heal by themselves', () => {
    const rule = (name: string) => {
      const { EvaluationPeriods: periods, TreatMissingData: missing } = alarms(plain).find(
        ({ MetricName }) => MetricName === name,
      )!;
      return { periods, missing };
    };
    expect(rule('TablesRefused')).toEqual({ periods: 1, missing: 'notBreaching' });
    expect(rule('TablesFailed')).toEqual({ periods: 2, missing: 'notBreaching' });
    expect(rule('Errors')).toEqual({ periods: 2, missing: 'notBreaching' });
    expect(rule('InvocationDroppedCount')).toEqual({ periods: 2, missing: 'notBreaching' });
  });

  it('all go to one topic, encrypted with a key that alarms may use', () => {
    const topics = new Set(alarms(plain).map(({ AlarmActions }) => JSON.stringify(AlarmActions)));
    expect(topics.size).toBe(1);
    expect(plain.only('AWS::SNS::Topic')).toHaveProperty('KmsMasterKeyId');
    const statements = (type: string, document: string) =>
      (plain.only(type)[document] as { Statement: never[] }).Statement;
    const ours = { 'aws:SourceAccount': account };
    const alarm = { 'aws:SourceArn': `arn:aws:cloudwatch:${region}:${account}:alarm:x` };
    const topicId = Object.keys(plain.resources).find(
      (id) => plain.resources[id]!.Type === 'AWS::SNS::Topic',
    )!;
    const publish = (context: Record<string, string>) =>
      verdictOf(statements('AWS::SNS::TopicPolicy', 'PolicyDocument'), {
        action: 'sns:Publish',
        resource: topicId,
        context: { 'aws:SecureTransport': 'true', ...context },
      });
    expect(publish({ ...ours, ...alarm })).toBe('allowed');
    expect(publish({ ...alarm, 'aws:SourceAccount': '999999999999' })).toBe('not allowed');
    expect(publish({ ...ours, ...alarm, 'aws:SecureTransport': 'false' })).toBe('denied');
    const use = (context: Record<string, string>) =>
      verdictOf(
        (plain.only('AWS::KMS::Key').KeyPolicy as { Statement: Statement[] }).Statement.filter(
          ({ Principal }) => JSON.stringify(Principal).includes('cloudwatch.amazonaws.com'),
        ),
        { action: 'kms:GenerateDataKey', resource: 'arn:aws:kms:x', context },
      );
    expect(use(ours)).toBe('allowed');
    expect(use({ 'aws:SourceAccount': '999999999999' })).toBe('not allowed');
  });

  it('reach an address when there is one', () => {
    expect(ofType(plain, 'AWS::SNS::Subscription')).toEqual([]);
    expect(whole.only('AWS::SNS::Subscription')).toMatchObject({
      Protocol: 'email',
      Endpoint: 'ops@example.com',
    });
  });
});

describe('the task for Fargate', () => {
  it('is made on demand, not as root, with the longest grace there is', () => {
    expect(ofType(plain, 'AWS::ECS::TaskDefinition')).toEqual([]);
    const { ContainerDefinitions: containers } = whole.only('AWS::ECS::TaskDefinition') as {
      ContainerDefinitions: readonly Record<string, unknown>[];
    };
    expect(containers).toHaveLength(1);
    expect(containers[0]).toMatchObject({
      Image: image,
      User: '1000:1000',
      ReadonlyRootFilesystem: true,
      StopTimeout: 120,
      EntryPoint: ['node', '/var/task/dist/pipeline/cli/main.js'],
      Command: [
        ...['run', '--wait', '--grace-seconds', '120', '--metrics', 'emf'],
        ...['--json', '--log-format', 'json'],
      ],
      MountPoints: [{ ContainerPath: '/tmp', ReadOnly: false, SourceVolume: 'scratch' }],
    });
  });

  it('mounts scratch space where the image declares a volume that everybody may write to', () => {
    // Else ECS makes it root's alone, and the task, which is not root, cannot write anywhere.
    const { ContainerDefinitions: containers } = whole.only('AWS::ECS::TaskDefinition') as {
      ContainerDefinitions: readonly { MountPoints: readonly { ContainerPath: string }[] }[];
    };
    const file = path.resolve(import.meta.dirname, '../../Dockerfile');
    const { instructions } = readDockerfile(readFileSync(file, 'utf8')).at(-1)!;
    const declared = instructions.findIndex(({ name }) => name === 'VOLUME');
    expect(JSON.parse(instructions[declared]?.args ?? '[]')).toEqual(
      containers[0]!.MountPoints.map(({ ContainerPath }) => ContainerPath),
    );
    expect(instructions.slice(declared - 2, declared)).toEqual([
      { name: 'WORKDIR', args: '/tmp' },
      { name: 'RUN', args: 'chmod 1777 .' },
    ]);
    expect(instructions.slice(0, declared).map(({ name }) => name)).not.toContain('USER');
    expect(instructions.filter(({ name }) => name === 'WORKDIR').at(-1)!.args).toBe('/var/task');
  });

  it('is started by a role that may pull this image and no other', () => {
    const pull = (name: string) =>
      verdictOf(whole.role('JobStart'), {
        action: 'ecr:BatchGetImage',
        resource: `arn:aws:ecr:${region}:${account}:repository/${name}`,
      });
    expect(pull('tidelake')).toBe('allowed');
    expect(pull('other')).toBe('not allowed');
  });
});
