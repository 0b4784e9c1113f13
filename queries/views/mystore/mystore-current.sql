-- title: Orders now
-- question: What are the orders, with plain types and without what Tidelake keeps beside them?
-- tables: mystore
-- cost: scans the columns that are asked for

SELECT
  clientid,
  created,
  TRY_CAST(replace(substr(created, 1, 23), 'T', ' ') AS timestamp(3)) AS created_at,
  order_id,
  status,
  active,
  qty,
  amount,
  coupon,
  note,
  address.street AS street,
  address.city AS city,
  address.zip AS zip,
  revision,
  _written_at AS written_at
FROM mystore
