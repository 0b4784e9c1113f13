-- title: State as of a time
-- question: How many rows had the table at a time of its data, and when was it last written to then?
-- params: table identifier
-- params: as_of timestamp
-- tables: :table
-- cost: scans three columns of the table as it was

SELECT
  count(*) AS row_count,
  max(_written_at) AS newest_write,
  count_if(_misfits IS NOT NULL) AS rows_with_misfits,
  count_if(_nulls IS NOT NULL) AS rows_with_nulls
FROM :table FOR TIMESTAMP AS OF :as_of
