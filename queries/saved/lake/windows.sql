-- title: Windows
-- question: Which exports made the table what it is, in order, and what did each change?
-- params: table identifier
-- tables: :table
-- cost: reads only metadata, no data file

SELECT
  element_at(summary, 'tidelake.kind') AS kind,
  CAST(element_at(summary, 'tidelake.epoch') AS bigint) AS epoch,
  CAST(from_iso8601_timestamp(element_at(summary, 'tidelake.from')) AT TIME ZONE 'UTC' AS timestamp) AS window_from,
  CAST(from_iso8601_timestamp(element_at(summary, 'tidelake.to')) AT TIME ZONE 'UTC' AS timestamp) AS window_to,
  CAST(element_at(summary, 'tidelake.inserted') AS bigint) AS inserted,
  CAST(element_at(summary, 'tidelake.updated') AS bigint) AS updated,
  CAST(element_at(summary, 'tidelake.deleted') AS bigint) AS deleted,
  CAST(element_at(summary, 'tidelake.misfit-rows') AS bigint) AS rows_with_misfits,
  CAST(element_at(summary, 'total-records') AS bigint) - CAST(element_at(summary, 'total-position-deletes') AS bigint) AS row_count
FROM :table$snapshots
WHERE element_at(summary, 'tidelake.to') IS NOT NULL
ORDER BY committed_at
