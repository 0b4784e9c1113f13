SELECT
  clientid,
  created,
  qty,
  pieces,
  amount,
  full_price
FROM (
  SELECT
    clientid,
    created,
    qty,
    amount,
    list_sum(list_transform(lines, lambda line: line.qty)) AS pieces,
    list_sum(list_transform(lines, lambda line: line.price * line.qty)) AS full_price
  FROM mystore
) AS orders
WHERE qty <> pieces OR amount > full_price
