SELECT
  CAST(summary['tidelake.from'] AS timestamp) AS window_from,
  CAST(summary['tidelake.to'] AS timestamp) AS window_to,
  CAST(summary['tidelake.inserted'] AS bigint) AS inserted,
  CAST(summary['tidelake.updated'] AS bigint) AS updated,
  CAST(summary['tidelake.deleted'] AS bigint) AS deleted,
  CAST(summary['total-records'] AS bigint) - CAST(summary['total-position-deletes'] AS bigint) AS row_count
FROM :table$snapshots
WHERE snapshot_id = (
  SELECT max_by(s.snapshot_id, s.committed_at)
  FROM :table$snapshots AS s
  JOIN :table$history AS h ON h.snapshot_id = s.snapshot_id
  WHERE h.is_current_ancestor AND s.summary['tidelake.from'] IS NOT NULL
)
