// The roles: one for each duty, with the least rights its commands need.
// Promises: rights come from the one table of calls and from nowhere else; nobody outside the account can be a role.
// Source: pipeline/aws/permissions.ts; IAM User Guide, "The confused deputy problem".

import { Stack } from 'aws-cdk-lib';
import {
  AccountRootPrincipal,
  CompositePrincipal,
  PolicyDocument,
  Role,
  ServicePrincipal,
} from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { type RoleName, roleCommands } from '../pipeline/aws/permissions.js';
import { type PolicyPlaces, policyOf } from '../pipeline/aws/policy.js';
import type { LakeProps } from './lake.js';

/** A role that people and programs of this account may take if their own policies let them, and for exporter, merger
 *  and keeper the services that run them. */
export function makeRole(
  scope: Construct,
  name: RoleName,
  places: PolicyPlaces,
  props: LakeProps,
): Role {
  const runners = name === 'analyst' ? [] : (props.runners ?? []);
  const trusted = runners.map(
    (service) =>
      new ServicePrincipal(service, {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
      }),
  );
  const document = policyOf(name, places, { mayTidy: props.mayTidy });
  return new Role(scope, `${name[0]!.toUpperCase()}${name.slice(1)}Role`, {
    description: `Tidelake ${name}: ${roleCommands[name].join(', ')}`,
    assumedBy: new CompositePrincipal(new AccountRootPrincipal(), ...trusted),
    inlinePolicies: { calls: PolicyDocument.fromJson(document) },
  });
}
