-- title: Keys are present
-- question: Which rows lack a part of their key?
-- params: table identifier
-- params: partition_key identifier
-- params: sort_key identifier
-- tables: :table
-- cost: scans the key

SELECT
  :partition_key AS partition_key,
  :sort_key AS sort_key
FROM :table
WHERE :partition_key IS NULL OR :sort_key IS NULL
