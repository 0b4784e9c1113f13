-- title: Deleted since
-- question: Which keys were in the table at a time of its data and are gone now?
-- params: table identifier
-- params: partition_key identifier
-- params: sort_key identifier
-- params: since timestamp
-- tables: :table
-- cost: scans the key, twice

SELECT
  past.:partition_key AS partition_key,
  past.:sort_key AS sort_key
FROM :table FOR TIMESTAMP AS OF :since AS past
LEFT JOIN :table AS present
  ON present.:partition_key = past.:partition_key AND present.:sort_key = past.:sort_key
WHERE present.:partition_key IS NULL
ORDER BY 1, 2
