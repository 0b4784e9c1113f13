-- title: Largest partitions
-- question: Which partition keys have most rows?
-- params: table identifier
-- params: partition_key identifier
-- params: first long = 20
-- tables: :table
-- cost: scans the partition key

SELECT
  partition_key,
  row_count
FROM (
  SELECT
    CAST(:partition_key AS varchar) AS partition_key,
    count(*) AS row_count,
    row_number() OVER (ORDER BY count(*) DESC, CAST(:partition_key AS varchar)) AS place
  FROM :table
  GROUP BY CAST(:partition_key AS varchar)
) AS keys
WHERE place <= :first
ORDER BY place
