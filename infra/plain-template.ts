// The stack as one plain CloudFormation template, for teams without CDK.
// Promises: deploys as it stands, without bootstrap or assets and in any account: names and limits are parameters. The
// file that ships, infra/template.json, is this one; a test compares them.
// Source: AWS CloudFormation User Guide, "Parameters".

import {
  Aws,
  BootstraplessSynthesizer,
  CfnCondition,
  CfnParameter,
  Fn,
  type IResolvable,
  type IStackSynthesizer,
  Stack,
  Token,
} from 'aws-cdk-lib';
import { Lake, type LakeRunner, stackDescription } from './lake.js';
import { runnerDefaults } from './runner-settings.js';
import { loadSavedQueries, type NamedQuery } from './saved-queries.js';
import { checkedApp, giveReasons } from './security-checks.js';

/** Names that stand in the queries for parameters of the template. No query has such a word. */
const tableWord = 'tidelake_parameter_table';
const databaseWord = 'tidelake_parameter_database';

/** Makes the template, with the saved queries of a folder. Throws when a check fails. */
export function plainTemplate(queriesFolder: string): Record<string, unknown> {
  const app = checkedApp();
  const stack = new Stack(app, 'Lake', {
    description: stackDescription,
    synthesizer: new BootstraplessSynthesizer() as IStackSynthesizer,
  });
  const text = (id: string, description: string, pattern: string, value?: string): string =>
    new CfnParameter(stack, id, {
      description,
      allowedPattern: pattern,
      ...(value === undefined ? {} : { default: value }),
    }).valueAsString;
  const number = (
    id: string,
    description: string,
    value: number,
    minValue: number,
    maxValue?: number,
  ): number =>
    new CfnParameter(stack, id, {
      type: 'Number',
      description,
      default: value,
      minValue,
      ...(maxValue === undefined ? {} : { maxValue }),
    }).valueAsNumber;
  const database = text(
    'DatabaseName',
    'Glue database, made by the stack',
    '[a-z0-9_]{1,255}',
    'lake',
  );
  const lakeTable = text(
    'LakeTable',
    "Lake table of the saved queries: a DynamoDB table's name in small letters, with _ for . and -",
    '[a-z0-9_]{1,200}',
  );
  const folder = '[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*';
  const lake = new Lake(stack, 'Lake', {
    lakeName: text(
      'LakeName',
      'Begins the names of buckets, and is the workgroup',
      '[a-z][a-z0-9-]{0,18}[a-z0-9]',
      'tidelake',
    ),
    database,
    tableArns: new CfnParameter(stack, 'TableArns', {
      type: 'CommaDelimitedList',
      description: 'ARNs of the DynamoDB tables, separated by commas',
      allowedPattern: 'arn:[a-z-]+:dynamodb:[a-z0-9-]+:[0-9]{12}:table/[A-Za-z0-9._-]{3,255}',
    }).valueAsList,
    exportsPrefix: text('ExportsPrefix', 'Folder of exports in their bucket', folder, 'exports'),
    lakePrefix: text('LakePrefix', 'Folder of the lake in its bucket', folder, 'lake'),
    encryption: 's3',
    resultsDays: number('ResultsDays', 'Results of queries are deleted after this', 7, 1),
    undeleteDays: number('UndeleteDays', 'Deleted files can be brought back for this long', 30, 1),
    accessLogDays: number('AccessLogDays', 'Access logs are deleted after this', 90, 1),
    scanBytesMax: number(
      'ScanBytesMax',
      'A query that scans more bytes than this is stopped',
      100 * 1024 ** 3,
      10_000_000,
    ),
    mayTidy: false,
    savedQueries: savedQueries(queriesFolder, lakeTable, database),
    runner: optionalRunner(stack, text, number),
  });
  giveReasons(lake);
  return app.synth().getStackByName(stack.stackName).template as Record<string, unknown>;
}

/** The scheduled job, made when its image is named. */
function optionalRunner(
  stack: Stack,
  text: (id: string, description: string, pattern: string, value?: string) => string,
  number: (
    id: string,
    description: string,
    value: number,
    minValue: number,
    maxValue?: number,
  ) => number,
): LakeRunner {
  const image = text(
    'RunnerImage',
    'URI of the image in ECR; empty: no scheduled job is made',
    '|[0-9]{12}\\.dkr\\.ecr\\..+/.+[:@].+',
    '',
  );
  const email = text('AlarmEmail', 'Where alarms are sent to; may be empty', '|.+@.+', '');
  const isRunner = Fn.conditionNot(Fn.conditionEquals(image, ''));
  const concurrency = number(
    'RunnerConcurrency',
    'Runs at once, set aside from the account; 0 sets nothing aside, for accounts with a small limit',
    1,
    0,
  );
  const keepDays = number(
    'KeepDays',
    'Days of data that stay reachable in the lake; 0 keeps all, and the job may delete nothing',
    0,
    0,
    36_500,
  );
  const isLimited = new CfnCondition(stack, 'HasConcurrency', {
    expression: Fn.conditionNot(Fn.conditionEquals(concurrency, 0)),
  });
  return {
    ...runnerDefaults,
    image,
    email,
    tickMinutes: number('TickMinutes', 'Minutes between two looks of the job', 5, 2, 15),
    keepDays,
    concurrency: Token.asNumber(
      Fn.conditionIf(isLimited.logicalId, concurrency, Aws.NO_VALUE) as IResolvable,
    ),
    staleSeconds: number('StaleSeconds', 'Age of the stalest table that is an alarm', 10_800, 1800),
    lakeTables: null,
    when: {
      runner: new CfnCondition(stack, 'HasRunner', { expression: isRunner }),
      upkeep: new CfnCondition(stack, 'HasUpkeep', {
        expression: Fn.conditionAnd(isRunner, Fn.conditionNot(Fn.conditionEquals(keepDays, 0))),
      }),
      email: new CfnCondition(stack, 'HasEmail', {
        expression: Fn.conditionAnd(isRunner, Fn.conditionNot(Fn.conditionEquals(email, ''))),
      }),
    },
  };
}

function savedQueries(folder: string, table: string, database: string): readonly NamedQuery[] {
  const filled = (text: string): string =>
    text.replaceAll(tableWord, table).replaceAll(databaseWord, database);
  const queries = loadSavedQueries({ folder, table: tableWord, database: databaseWord });
  return queries.map(({ id, name, description, sql }) => ({
    id: id.replace(`${tableWord}-`, ''),
    name: filled(name),
    description: filled(description),
    sql: filled(sql),
  }));
}
