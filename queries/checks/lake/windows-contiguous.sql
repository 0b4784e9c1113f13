-- title: Windows follow each other
-- question: Between which windows does the table not know what happened?
-- params: table identifier
-- tables: :table
-- cost: reads only metadata, no data file

SELECT
  epoch,
  previous_to,
  window_from
FROM (
  SELECT
    element_at(s.summary, 'tidelake.epoch') AS epoch,
    element_at(s.summary, 'tidelake.from') AS window_from,
    lag(element_at(s.summary, 'tidelake.to')) OVER (
      PARTITION BY element_at(s.summary, 'tidelake.epoch') ORDER BY s.committed_at
    ) AS previous_to
  FROM :table$snapshots AS s
  JOIN :table$history AS h ON h.snapshot_id = s.snapshot_id
  WHERE h.is_current_ancestor AND element_at(s.summary, 'tidelake.to') IS NOT NULL
) AS windows
WHERE window_from <> previous_to
