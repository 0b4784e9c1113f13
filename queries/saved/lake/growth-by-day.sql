-- title: Growth by day
-- question: How many rows did the table have at the end of each day, and what changed on it?
-- params: table identifier
-- tables: :table
-- cost: reads only metadata, no data file

SELECT
  CAST(coalesce(window_from, window_to) AS date) AS day,
  max_by(row_count, committed_at) AS row_count,
  coalesce(sum(inserted) FILTER (WHERE window_from IS NOT NULL), 0) AS inserted,
  coalesce(sum(updated) FILTER (WHERE window_from IS NOT NULL), 0) AS updated,
  coalesce(sum(deleted) FILTER (WHERE window_from IS NOT NULL), 0) AS deleted
FROM (
  SELECT
    committed_at,
    CAST(from_iso8601_timestamp(element_at(summary, 'tidelake.from')) AT TIME ZONE 'UTC' AS timestamp) AS window_from,
    CAST(from_iso8601_timestamp(element_at(summary, 'tidelake.to')) AT TIME ZONE 'UTC' AS timestamp) AS window_to,
    CAST(element_at(summary, 'tidelake.inserted') AS bigint) AS inserted,
    CAST(element_at(summary, 'tidelake.updated') AS bigint) AS updated,
    CAST(element_at(summary, 'tidelake.deleted') AS bigint) AS deleted,
    CAST(element_at(summary, 'total-records') AS bigint) - CAST(element_at(summary, 'total-position-deletes') AS bigint) AS row_count
  FROM :table$snapshots
  WHERE element_at(summary, 'tidelake.to') IS NOT NULL
) AS windows
GROUP BY 1
ORDER BY 1
