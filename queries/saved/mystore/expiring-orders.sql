-- title: Expiring orders
-- question: How many orders expire on which day, by their time to live?
-- params: from_day date = 2000-01-01
-- params: to_day date = 2100-01-01
-- tables: mystore
-- cost: scans one column

SELECT
  day,
  count(*) AS orders
FROM (
  SELECT CAST(date_add('second', expires_at, TIMESTAMP '1970-01-01 00:00:00') AS date) AS day
  FROM mystore
  WHERE expires_at IS NOT NULL
) AS expiring
WHERE day >= :from_day AND day < :to_day
GROUP BY day
ORDER BY day
