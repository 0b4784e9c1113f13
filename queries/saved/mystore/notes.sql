-- title: Notes: given, NULL, missing
-- question: How many orders have a note, have NULL for it, or have none?
-- tables: mystore
-- cost: scans two columns

SELECT
  count(note) AS given,
  count_if(contains(_nulls, '/note')) AS is_null,
  count_if(note IS NULL AND NOT coalesce(contains(_nulls, '/note'), false)) AS missing
FROM mystore
