-- title: Current state
-- question: How many rows has the table now, and when was it last written to?
-- params: table identifier
-- tables: :table
-- cost: scans three columns, two of them nearly always empty

SELECT
  count(*) AS row_count,
  max(_written_at) AS newest_write,
  count_if(_misfits IS NOT NULL) AS rows_with_misfits,
  count_if(_nulls IS NOT NULL) AS rows_with_nulls
FROM :table
