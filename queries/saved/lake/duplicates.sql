-- title: Duplicates of a business key
-- question: Which values of a column that should be unique stand in several rows?
-- params: table identifier
-- params: column identifier
-- params: at_least long = 2
-- tables: :table
-- cost: scans one column

SELECT
  duplicate,
  row_count
FROM (
  SELECT CAST(:column AS varchar) AS duplicate, count(*) AS row_count
  FROM :table
  WHERE :column IS NOT NULL
  GROUP BY 1
) AS counted
WHERE row_count >= :at_least
ORDER BY row_count DESC, duplicate
