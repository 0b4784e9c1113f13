-- title: Rows of the last window
-- question: Which rows did the last window of changes insert or update?
-- params: table identifier
-- params: partition_key identifier
-- params: sort_key identifier
-- tables: :table
-- cost: scans the key and the time of writing

SELECT
  :partition_key AS partition_key,
  :sort_key AS sort_key,
  _written_at AS written_at
FROM :table
WHERE _written_at >= (
  SELECT max_by(
    CAST(from_iso8601_timestamp(element_at(s.summary, 'tidelake.from')) AT TIME ZONE 'UTC' AS timestamp),
    s.committed_at
  )
  FROM :table$snapshots AS s
  JOIN :table$history AS h ON h.snapshot_id = s.snapshot_id
  WHERE h.is_current_ancestor AND element_at(s.summary, 'tidelake.from') IS NOT NULL
)
ORDER BY 1, 2
