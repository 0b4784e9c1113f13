-- title: Client cohorts
-- question: Of the clients who first ordered in a month, how many ordered again in later months?
-- tables: mystore
-- cost: scans three columns

SELECT
  cohort,
  date_diff('month', cohort, order_month) AS months_later,
  count(DISTINCT clientid) AS clients,
  count(*) AS orders,
  sum(amount) AS revenue
FROM (
  SELECT
    clientid,
    amount,
    order_month,
    min(order_month) OVER (PARTITION BY clientid) AS cohort
  FROM (
    SELECT clientid, amount, CAST(date_trunc('month', CAST(substr(created, 1, 10) AS date)) AS date) AS order_month
    FROM mystore
  ) AS months
) AS cohorts
GROUP BY 1, 2
ORDER BY 1, 2
