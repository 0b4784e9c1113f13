-- title: Clients by revenue
-- question: Which clients bought most?
-- params: first long = 20
-- tables: mystore
-- cost: scans three columns

SELECT
  clientid,
  orders,
  revenue,
  last_order
FROM (
  SELECT
    clientid,
    count(*) AS orders,
    sum(amount) AS revenue,
    max(created) AS last_order,
    row_number() OVER (ORDER BY sum(amount) DESC NULLS LAST, clientid) AS place
  FROM mystore
  GROUP BY clientid
) AS clients
WHERE place <= :first
ORDER BY place
