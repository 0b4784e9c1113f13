-- title: Rows of one entity
-- question: Which rows have keys that begin with a prefix?
-- params: table identifier
-- params: partition_key identifier
-- params: sort_key identifier
-- params: prefix string
-- params: sort_prefix string =
-- tables: :table
-- cost: scans the key and the time of writing

SELECT
  :partition_key AS partition_key,
  :sort_key AS sort_key,
  _written_at AS written_at
FROM :table
WHERE starts_with(CAST(:partition_key AS varchar), :prefix)
  AND starts_with(CAST(:sort_key AS varchar), :sort_prefix)
ORDER BY 1, 2
