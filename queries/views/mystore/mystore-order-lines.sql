-- title: Order lines
-- question: What was ordered, one row per line?
-- tables: mystore
-- cost: scans the nested lines

SELECT
  clientid,
  created,
  order_id,
  line.sku AS sku,
  line.qty AS qty,
  line.price AS price,
  line.price * line.qty AS total
FROM mystore
CROSS JOIN UNNEST(transform(lines, one -> ROW(one))) AS ordered(line)
