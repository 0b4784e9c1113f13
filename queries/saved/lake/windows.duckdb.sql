SELECT
  summary['tidelake.kind'] AS kind,
  CAST(summary['tidelake.epoch'] AS bigint) AS epoch,
  CAST(summary['tidelake.from'] AS timestamp) AS window_from,
  CAST(summary['tidelake.to'] AS timestamp) AS window_to,
  CAST(summary['tidelake.inserted'] AS bigint) AS inserted,
  CAST(summary['tidelake.updated'] AS bigint) AS updated,
  CAST(summary['tidelake.deleted'] AS bigint) AS deleted,
  CAST(summary['tidelake.misfit-rows'] AS bigint) AS rows_with_misfits,
  CAST(summary['total-records'] AS bigint) - CAST(summary['total-position-deletes'] AS bigint) AS row_count
FROM :table$snapshots
WHERE summary['tidelake.to'] IS NOT NULL
ORDER BY committed_at
