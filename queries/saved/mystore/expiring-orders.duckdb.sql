SELECT
  day,
  count(*) AS orders
FROM (
  SELECT CAST(make_timestamp(expires_at * 1000000) AS date) AS day
  FROM mystore
  WHERE expires_at IS NOT NULL
) AS expiring
WHERE day >= :from_day AND day < :to_day
GROUP BY day
ORDER BY day
