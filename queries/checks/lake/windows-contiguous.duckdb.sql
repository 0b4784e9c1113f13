SELECT
  epoch,
  previous_to,
  window_from
FROM (
  SELECT
    s.summary['tidelake.epoch'] AS epoch,
    s.summary['tidelake.from'] AS window_from,
    lag(s.summary['tidelake.to']) OVER (
      PARTITION BY s.summary['tidelake.epoch'] ORDER BY s.committed_at
    ) AS previous_to
  FROM :table$snapshots AS s
  JOIN :table$history AS h ON h.snapshot_id = s.snapshot_id
  WHERE h.is_current_ancestor AND s.summary['tidelake.to'] IS NOT NULL
) AS windows
WHERE window_from <> previous_to
