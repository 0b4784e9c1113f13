-- title: Revenue by day
-- question: How many orders were placed on each day, and for how much?
-- params: from_day date = 2000-01-01
-- params: to_day date = 2100-01-01
-- tables: mystore
-- cost: scans two columns

SELECT
  TRY_CAST(substr(created, 1, 10) AS date) AS day,
  count(*) AS orders,
  sum(amount) AS revenue
FROM mystore
WHERE substr(created, 1, 10) >= CAST(:from_day AS varchar)
  AND substr(created, 1, 10) < CAST(:to_day AS varchar)
GROUP BY 1
ORDER BY 1
