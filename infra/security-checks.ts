// AWS's security rules on a lake, and why some findings are as they should be.
// Promises: synthesis fails on every finding that has no reason here; a wildcard in an action never has one.
// Source: https://github.com/cdklabs/cdk-nag (AwsSolutions rules).

import { App, Validations } from 'aws-cdk-lib';
import type { CfnPolicy, CfnRole } from 'aws-cdk-lib/aws-iam';
import { VALIDATE_AGAINST_DEFAULT_RULES } from 'aws-cdk-lib/cx-api';
import { AwsSolutionsChecks, rules } from 'cdk-nag';
import type { Lake } from './lake.js';

/** Why a resource of a policy may end in `*`, by the form of the finding. */
const wildcardReasons: readonly (readonly [RegExp, string])[] = [
  [
    /^Resource::\*$/,
    'dynamodb:ListExports, ListTables, the lists of Athena and the token of ECR take no resource; they show names only',
  ],
  [
    /^Resource::arn:.*:s3:::.*\/\*$/,
    'objects below one prefix of one bucket, whose names are not known before they are written',
  ],
  [/^Resource::arn:.*:s3:::.*\*\/metadata\/\*$/, 'files of the tables of one lake'],
  [
    /^Resource::(arn:.*\/export\/\*|\{"Fn::Split":.*"\/export\/\*".*\})$/,
    'exports of one table, whose ids DynamoDB gives',
  ],
  [
    /^Resource::arn:.*:dynamodb:.*:table\/\*$/,
    'tables of this account and Region by prefix or tag, whose names are not known at deployment; only with findTables',
  ],
  [/^Resource::arn:.*:glue:.*:table\/.*\/\*$/, 'tables of one database, which loads create'],
];

/** An app whose synthesis fails on findings: of the security rules, and of CloudFormation's own check of a template. */
export function checkedApp(): App {
  const app = new App({
    analyticsReporting: false,
    context: { [VALIDATE_AGAINST_DEFAULT_RULES]: true, 'aws:cdk:disable-stack-trace': true },
  });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return app;
}

/** Notes on a lake why findings are as they should be. */
export function giveReasons(lake: Lake): void {
  const logs = lake.node.tryFindChild('AccessLogBucket');
  if (logs !== undefined) {
    Validations.of(logs).acknowledge({
      id: 'AwsSolutions-S1',
      reason: 'this bucket holds the access logs; logging its own access would never end',
    });
  }
  if (lake.runner?.executionRole != null) {
    Validations.of(lake.runner).acknowledge({
      id: 'AwsSolutions-ECS2',
      reason: 'the variables say where the lake is and which tables it has; none is a secret',
    });
  }
  const roles = [...Object.values(lake.roles), ...(lake.runner?.allRoles ?? [])];
  const { upkeepPolicy = null } = lake.runner ?? {};
  for (const role of [...roles, ...(upkeepPolicy === null ? [] : [upkeepPolicy])]) {
    const node = role.node.defaultChild as CfnRole | CfnPolicy;
    const findings: unknown = rules.iam.IAMNoWildcardPermissions(node);
    for (const finding of Array.isArray(findings) ? findings.map(String) : []) {
      const reason = wildcardReasons.find(([form]) => form.test(finding))?.[1];
      if (reason === undefined) continue;
      Validations.of(role).acknowledge({ id: `AwsSolutions-IAM5[${finding}]`, reason });
    }
  }
}
