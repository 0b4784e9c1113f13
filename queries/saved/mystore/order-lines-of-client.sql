-- title: Order lines of a client
-- question: What did one client order, line by line?
-- params: client string
-- tables: mystore
-- cost: scans four columns; files and row groups without the client are skipped

SELECT
  created,
  order_id,
  line.sku AS sku,
  line.qty AS qty,
  line.price AS price
FROM mystore
CROSS JOIN UNNEST(transform(lines, one -> ROW(one))) AS ordered(line)
WHERE clientid = :client
ORDER BY created, sku, qty, price
