-- title: Order lines
-- question: What was sold, article by article?
-- params: status string = DELIVERED
-- params: first integer = 50
-- tables: mystore
-- cost: scans the nested lines of the whole table, the widest column

SELECT
  line.sku AS sku,
  sum(line.qty) AS pieces,
  sum(line.price * line.qty) AS revenue,
  count(DISTINCT order_id) AS orders
FROM (SELECT order_id, unnest(lines) AS line FROM mystore WHERE status = :status) AS ordered
GROUP BY 1
ORDER BY revenue DESC NULLS LAST, sku
LIMIT :first
