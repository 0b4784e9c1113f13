-- title: Misfits by type
-- question: Of which DynamoDB types are the values that do not fit their column?
-- params: table identifier
-- tables: :table
-- cost: scans one column, nearly always empty

SELECT
  attribute,
  regexp_extract(_misfits[attribute], '^\{"([A-Z]+)"', 1) AS dynamodb_type,
  count(*) AS misfits
FROM :table
CROSS JOIN UNNEST(map_keys(_misfits)) AS misfit(attribute)
GROUP BY 1, 2
ORDER BY 3 DESC, 1, 2
