-- title: Misfits
-- question: Which attributes hold values that do not fit their column, and how many rows have one?
-- tables: mystore
-- cost: scans one column, nearly always empty

SELECT
  attribute,
  count(*) AS misfits
FROM (SELECT unnest(map_keys(_misfits)) AS attribute FROM mystore WHERE _misfits IS NOT NULL) AS misfit
GROUP BY attribute
ORDER BY misfits DESC, attribute
