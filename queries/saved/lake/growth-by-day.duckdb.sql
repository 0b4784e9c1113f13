SELECT
  CAST(coalesce(window_from, window_to) AS date) AS day,
  max_by(row_count, committed_at) AS row_count,
  coalesce(sum(inserted) FILTER (WHERE window_from IS NOT NULL), 0) AS inserted,
  coalesce(sum(updated) FILTER (WHERE window_from IS NOT NULL), 0) AS updated,
  coalesce(sum(deleted) FILTER (WHERE window_from IS NOT NULL), 0) AS deleted
FROM (
  SELECT
    committed_at,
    CAST(summary['tidelake.from'] AS timestamp) AS window_from,
    CAST(summary['tidelake.to'] AS timestamp) AS window_to,
    CAST(summary['tidelake.inserted'] AS bigint) AS inserted,
    CAST(summary['tidelake.updated'] AS bigint) AS updated,
    CAST(summary['tidelake.deleted'] AS bigint) AS deleted,
    CAST(summary['total-records'] AS bigint) - CAST(summary['total-position-deletes'] AS bigint) AS row_count
  FROM :table$snapshots
  WHERE summary['tidelake.to'] IS NOT NULL
) AS windows
GROUP BY 1
ORDER BY 1
