-- title: Newest writes
-- question: When was the table last written to, hour by hour?
-- params: table identifier
-- params: first long = 24
-- tables: :table
-- cost: scans one column

SELECT
  written_hour,
  rows_written,
  newest
FROM (
  SELECT
    date_trunc('hour', _written_at) AS written_hour,
    count(*) AS rows_written,
    max(_written_at) AS newest,
    row_number() OVER (ORDER BY date_trunc('hour', _written_at) DESC) AS place
  FROM :table
  WHERE _written_at IS NOT NULL
  GROUP BY date_trunc('hour', _written_at)
) AS hours
WHERE place <= :first
ORDER BY written_hour DESC
