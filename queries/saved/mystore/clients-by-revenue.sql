-- title: Clients by revenue
-- question: Which clients bought most?
-- params: first integer = 20
-- tables: mystore
-- cost: scans three columns of the whole table

SELECT
  clientid,
  count(*) AS orders,
  sum(amount) AS revenue,
  max(created) AS last_order
FROM mystore
GROUP BY clientid
ORDER BY revenue DESC NULLS LAST, clientid
LIMIT :first
