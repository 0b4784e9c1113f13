SELECT
  created,
  order_id,
  line.sku AS sku,
  line.qty AS qty,
  line.price AS price
FROM (SELECT created, order_id, unnest(lines) AS line FROM mystore WHERE clientid = :client) AS ordered
ORDER BY created, sku, qty, price
