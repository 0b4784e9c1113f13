SELECT
  clientid,
  created,
  order_id,
  line.sku AS sku,
  line.qty AS qty,
  line.price AS price,
  line.price * line.qty AS total
FROM (SELECT clientid, created, order_id, unnest(lines) AS line FROM mystore) AS ordered
