-- title: Orders by city
-- question: Where do the orders go?
-- tables: mystore
-- cost: scans one nested field and one column

SELECT
  address.city AS city,
  count(*) AS orders,
  count(address.zip) AS with_zip,
  sum(amount) AS revenue
FROM mystore
GROUP BY address.city
ORDER BY orders DESC, city
