-- title: No empty lists beside the columns
-- question: Which rows have an empty _nulls or _misfits, which should then be NULL?
-- params: table identifier
-- params: partition_key identifier
-- params: sort_key identifier
-- tables: :table
-- cost: scans two columns, nearly always empty

SELECT
  :partition_key AS partition_key,
  :sort_key AS sort_key
FROM :table
WHERE cardinality(_nulls) = 0 OR cardinality(_misfits) = 0
