-- title: Order lines by article
-- question: What was sold, article by article?
-- params: status string = DELIVERED
-- params: first long = 50
-- tables: mystore
-- cost: scans the nested lines, the widest column

SELECT
  sku,
  pieces,
  revenue,
  orders
FROM (
  SELECT
    line.sku AS sku,
    sum(line.qty) AS pieces,
    sum(line.price * line.qty) AS revenue,
    count(DISTINCT order_id) AS orders,
    row_number() OVER (ORDER BY sum(line.price * line.qty) DESC NULLS LAST, line.sku) AS place
  FROM mystore
  CROSS JOIN UNNEST(transform(lines, one -> ROW(one))) AS ordered(line)
  WHERE status = :status
  GROUP BY line.sku
) AS articles
WHERE place <= :first
ORDER BY place
