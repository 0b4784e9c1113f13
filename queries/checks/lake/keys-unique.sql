-- title: Keys are unique
-- question: Which keys stand in more than one row?
-- params: table identifier
-- params: partition_key identifier
-- params: sort_key identifier
-- tables: :table
-- cost: scans the key

SELECT
  :partition_key AS partition_key,
  :sort_key AS sort_key,
  count(*) AS row_count
FROM :table
GROUP BY :partition_key, :sort_key
HAVING count(*) > 1
