-- title: Status changes since
-- question: How many orders went from which state to which since a time of the data?
-- params: since timestamp
-- tables: mystore
-- cost: scans the key and one column, twice

SELECT
  past.status AS status_then,
  present.status AS status_now,
  count(*) AS orders
FROM mystore FOR TIMESTAMP AS OF :since AS past
JOIN mystore AS present
  ON present.clientid = past.clientid AND present.created = past.created
WHERE past.status IS DISTINCT FROM present.status
GROUP BY past.status, present.status
ORDER BY orders DESC, status_then, status_now
