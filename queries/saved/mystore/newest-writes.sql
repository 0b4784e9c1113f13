-- title: Newest writes
-- question: How fresh are the rows: when was the table last written to, hour by hour?
-- params: first integer = 24
-- tables: mystore
-- cost: scans one column of the whole table

SELECT
  date_trunc('hour', _written_at) AS hour,
  count(*) AS rows_written,
  max(_written_at) AS newest
FROM mystore
WHERE _written_at IS NOT NULL
GROUP BY 1
ORDER BY 1 DESC
LIMIT :first
