-- title: NULL attributes
-- question: Which attributes are NULL in DynamoDB, rather than missing, and in how many rows?
-- params: table identifier
-- tables: :table
-- cost: scans one column, often empty

SELECT
  attribute_path,
  count(*) AS nulls
FROM :table
CROSS JOIN UNNEST(_nulls) AS null_path(attribute_path)
GROUP BY attribute_path
ORDER BY nulls DESC, attribute_path
