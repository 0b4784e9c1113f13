-- title: Profile of a column
-- question: Of what type is a column, how many rows have it, how many different values are there, and between which?
-- params: table identifier
-- params: column identifier
-- tables: :table
-- cost: scans one column

SELECT
  lower(arbitrary(typeof(:column))) AS type,
  count(*) AS row_count,
  count(:column) AS filled,
  count(*) - count(:column) AS missing,
  count(DISTINCT :column) AS different,
  CAST(min(:column) AS varchar) AS least,
  CAST(max(:column) AS varchar) AS greatest
FROM :table
