-- title: Entities by key prefix
-- question: Which kinds of entities share this table, by the prefixes of their keys?
-- params: table identifier
-- params: partition_key identifier
-- params: sort_key identifier
-- tables: :table
-- cost: scans the key

SELECT
  partition_prefix,
  sort_prefix,
  count(*) AS row_count,
  min(partition_key) AS first_key,
  max(partition_key) AS last_key
FROM (
  SELECT
    CAST(:partition_key AS varchar) AS partition_key,
    nullif(regexp_extract(CAST(:partition_key AS varchar), '^([^#:|/_-]+)[#:|/_-]', 1), '') AS partition_prefix,
    nullif(regexp_extract(CAST(:sort_key AS varchar), '^([^#:|/_-]+)[#:|/_-]', 1), '') AS sort_prefix
  FROM :table
) AS entities
GROUP BY partition_prefix, sort_prefix
ORDER BY row_count DESC, partition_prefix, sort_prefix
