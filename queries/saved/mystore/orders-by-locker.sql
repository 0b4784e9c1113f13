-- title: Orders by locker
-- question: Which lockers are used most?
-- params: first long = 20
-- tables: mystore
-- cost: scans one column, nearly always empty

SELECT
  locker,
  orders
FROM (
  SELECT
    locker,
    count(*) AS orders,
    row_number() OVER (ORDER BY count(*) DESC, locker) AS place
  FROM mystore
  CROSS JOIN UNNEST(locker_ids) AS used(locker)
  GROUP BY locker
) AS lockers
WHERE place <= :first
ORDER BY place
