SELECT
  complete_until,
  newest_write,
  date_diff('minute', complete_until, CAST(current_timestamp AT TIME ZONE 'UTC' AS timestamp)) AS minutes_behind
FROM (
  SELECT
    max_by(
      CAST(s.summary['tidelake.to'] AS timestamp),
      s.committed_at
    ) AS complete_until
  FROM :table$snapshots AS s
  JOIN :table$history AS h ON h.snapshot_id = s.snapshot_id
  WHERE h.is_current_ancestor AND s.summary['tidelake.to'] IS NOT NULL
) AS snapshots
CROSS JOIN (SELECT max(_written_at) AS newest_write FROM :table) AS writes
