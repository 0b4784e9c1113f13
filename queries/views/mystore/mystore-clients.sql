-- title: Clients
-- question: Who are the clients, with the number and the sum of their orders?
-- tables: mystore
-- cost: scans three columns

SELECT
  clientid,
  count(*) AS orders,
  sum(amount) AS revenue,
  min(created) AS first_order,
  max(created) AS last_order
FROM mystore
GROUP BY clientid
