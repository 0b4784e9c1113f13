SELECT
  :partition_key AS partition_key,
  :sort_key AS sort_key
FROM :table
WHERE len(_nulls) = 0 OR cardinality(_misfits) = 0
