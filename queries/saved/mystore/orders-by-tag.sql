-- title: Orders by tag
-- question: How many orders bear which tag, and for how much?
-- tables: mystore
-- cost: scans two columns

SELECT
  tag,
  count(*) AS orders,
  sum(amount) AS revenue
FROM mystore
CROSS JOIN UNNEST(tags) AS tagged(tag)
GROUP BY tag
ORDER BY orders DESC, tag
