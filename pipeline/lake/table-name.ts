// The lake table's name for a DynamoDB table's.

/** A name that every catalog takes ([a-z0-9_], at most 200 characters) for a DynamoDB table name ([a-zA-Z0-9_.-]). */
export function tableNameOf(dynamodbTable: string): string {
  const name = dynamodbTable.toLowerCase().replace(/[^a-z0-9_]/g, '_');
  return name.slice(0, 200);
}
