-- title: Orders per client
-- question: How many clients have ordered once, twice, …?
-- tables: mystore
-- cost: scans one column

SELECT
  orders,
  count(*) AS clients
FROM (SELECT clientid, count(*) AS orders FROM mystore GROUP BY clientid) AS clients
GROUP BY orders
ORDER BY orders
