-- title: Inserted since
-- question: Which keys are in the table now and were not at a time of its data?
-- params: table identifier
-- params: partition_key identifier
-- params: sort_key identifier
-- params: since timestamp
-- tables: :table
-- cost: scans the key, twice

SELECT
  present.:partition_key AS partition_key,
  present.:sort_key AS sort_key
FROM :table AS present
LEFT JOIN :table FOR TIMESTAMP AS OF :since AS past
  ON present.:partition_key = past.:partition_key AND present.:sort_key = past.:sort_key
WHERE past.:partition_key IS NULL
ORDER BY 1, 2
