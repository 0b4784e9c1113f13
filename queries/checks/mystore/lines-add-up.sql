-- title: Lines add up
-- question: Which orders count other pieces than their lines, or cost more than them?
-- tables: mystore
-- cost: scans the nested lines and two columns

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
    reduce(lines, CAST(0 AS bigint), (sum, line) -> sum + line.qty, sum -> sum) AS pieces,
    reduce(lines, CAST(0 AS decimal(38,2)), (sum, line) -> CAST(sum + line.price * line.qty AS decimal(38,2)), sum -> sum) AS full_price
  FROM mystore
) AS orders
WHERE qty <> pieces OR amount > full_price
