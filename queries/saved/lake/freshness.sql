-- title: Freshness
-- question: Up to which instant does the table equal the DynamoDB table, and how long ago is that?
-- params: table identifier
-- tables: :table
-- cost: scans one column

SELECT
  complete_until,
  newest_write,
  date_diff('minute', complete_until, CAST(current_timestamp AT TIME ZONE 'UTC' AS timestamp)) AS minutes_behind
FROM (
  SELECT
    max_by(
      CAST(from_iso8601_timestamp(element_at(s.summary, 'tidelake.to')) AT TIME ZONE 'UTC' AS timestamp),
      s.committed_at
    ) AS complete_until
  FROM :table$snapshots AS s
  JOIN :table$history AS h ON h.snapshot_id = s.snapshot_id
  WHERE h.is_current_ancestor AND element_at(s.summary, 'tidelake.to') IS NOT NULL
) AS snapshots
CROSS JOIN (SELECT max(_written_at) AS newest_write FROM :table) AS writes
