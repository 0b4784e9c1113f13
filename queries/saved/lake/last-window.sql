-- title: Last window
-- question: What did the last window of changes do to the table?
-- params: table identifier
-- tables: :table
-- cost: reads only metadata, no data file

SELECT
  CAST(from_iso8601_timestamp(element_at(summary, 'tidelake.from')) AT TIME ZONE 'UTC' AS timestamp) AS window_from,
  CAST(from_iso8601_timestamp(element_at(summary, 'tidelake.to')) AT TIME ZONE 'UTC' AS timestamp) AS window_to,
  CAST(element_at(summary, 'tidelake.inserted') AS bigint) AS inserted,
  CAST(element_at(summary, 'tidelake.updated') AS bigint) AS updated,
  CAST(element_at(summary, 'tidelake.deleted') AS bigint) AS deleted,
  CAST(element_at(summary, 'total-records') AS bigint) - CAST(element_at(summary, 'total-position-deletes') AS bigint) AS row_count
FROM :table$snapshots
WHERE snapshot_id = (
  SELECT max_by(s.snapshot_id, s.committed_at)
  FROM :table$snapshots AS s
  JOIN :table$history AS h ON h.snapshot_id = s.snapshot_id
  WHERE h.is_current_ancestor AND element_at(s.summary, 'tidelake.from') IS NOT NULL
)
