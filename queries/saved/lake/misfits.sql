-- title: Misfits
-- question: Which attributes hold values that do not fit their column, and how many rows have one?
-- params: table identifier
-- tables: :table
-- cost: scans one column, nearly always empty

SELECT
  attribute,
  count(*) AS misfits
FROM :table
CROSS JOIN UNNEST(map_keys(_misfits)) AS misfit(attribute)
GROUP BY attribute
ORDER BY misfits DESC, attribute
