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
  FROM (SELECT order_id, unnest(lines) AS line FROM mystore WHERE status = :status) AS ordered
  GROUP BY line.sku
) AS articles
WHERE place <= :first
ORDER BY place
