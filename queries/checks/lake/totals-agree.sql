-- title: Totals agree
-- question: Does the table have another number of rows than its last snapshot states?
-- params: table identifier
-- tables: :table
-- cost: reads how many rows the files have

SELECT
  stated,
  counted
FROM (
  SELECT
    max_by(
      CAST(element_at(s.summary, 'total-records') AS bigint) - CAST(element_at(s.summary, 'total-position-deletes') AS bigint),
      s.committed_at
    ) AS stated
  FROM :table$snapshots AS s
  JOIN :table$history AS h ON h.snapshot_id = s.snapshot_id
  WHERE h.is_current_ancestor
) AS snapshots
CROSS JOIN (SELECT count(*) AS counted FROM :table) AS live
WHERE stated <> counted
