-- title: Orders by size
-- question: Which orders are largest, by the bytes of their texts and the number of their lines?
-- params: bytes_min long = 100
-- tables: mystore
-- cost: scans the texts and the lines, most of the table

SELECT
  clientid,
  created,
  text_bytes,
  line_count
FROM (
  SELECT
    clientid,
    created,
    length(to_utf8(clientid)) + length(to_utf8(created)) + length(to_utf8(order_id)) + length(to_utf8(status))
      + coalesce(length(to_utf8(note)), 0) + coalesce(length(to_utf8(gift_message)), 0)
      + coalesce(length(to_utf8(address.street)), 0) + coalesce(length(to_utf8(address.city)), 0) AS text_bytes,
    cardinality(lines) AS line_count
  FROM mystore
) AS sizes
WHERE text_bytes >= :bytes_min
ORDER BY text_bytes DESC, line_count DESC, clientid, created
