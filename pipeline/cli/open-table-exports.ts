// DynamoDB for commands that ask for exports. Promises: nothing of AWS is loaded before a command asks for it.
// Spec: pipeline/cli/context.ts.

import { type AwsOptions, createAwsClients } from '../aws/clients.js';
import { DynamoDbTableExports } from '../aws/dynamodb-table-exports.js';
import type { TableExports } from '../ports.js';

/** Opens DynamoDB as these options reach it. */
export async function openTableExports(options: AwsOptions): Promise<TableExports> {
  return new DynamoDbTableExports(createAwsClients(options));
}
