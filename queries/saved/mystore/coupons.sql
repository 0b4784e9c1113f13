-- title: Coupons
-- question: Which coupons were used, how often, and for how much?
-- params: at_least decimal = 0
-- tables: mystore
-- cost: scans two columns

SELECT
  coupon,
  count(*) AS orders,
  sum(amount) AS revenue
FROM mystore
WHERE coupon IS NOT NULL AND amount >= :at_least
GROUP BY coupon
ORDER BY orders DESC, coupon
