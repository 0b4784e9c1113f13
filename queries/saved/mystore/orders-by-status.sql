-- title: Orders by status
-- question: How many orders are in which state, and how much money is in them?
-- tables: mystore
-- cost: scans three columns

SELECT
  status,
  count(*) AS orders,
  count(*) FILTER (WHERE active) AS active,
  sum(amount) AS amount
FROM mystore
GROUP BY status
ORDER BY orders DESC, status
