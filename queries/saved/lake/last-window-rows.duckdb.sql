SELECT
  :partition_key AS partition_key,
  :sort_key AS sort_key,
  _written_at AS written_at
FROM :table
WHERE _written_at >= (
  SELECT max_by(
    CAST(s.summary['tidelake.from'] AS timestamp),
    s.committed_at
  )
  FROM :table$snapshots AS s
  JOIN :table$history AS h ON h.snapshot_id = s.snapshot_id
  WHERE h.is_current_ancestor AND s.summary['tidelake.from'] IS NOT NULL
)
ORDER BY 1, 2
