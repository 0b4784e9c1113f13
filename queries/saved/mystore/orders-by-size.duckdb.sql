SELECT
  clientid,
  created,
  text_bytes,
  line_count
FROM (
  SELECT
    clientid,
    created,
    strlen(clientid) + strlen(created) + strlen(order_id) + strlen(status)
      + coalesce(strlen(note), 0) + coalesce(strlen(gift_message), 0)
      + coalesce(strlen(address.street), 0) + coalesce(strlen(address.city), 0) AS text_bytes,
    len(lines) AS line_count
  FROM mystore
) AS sizes
WHERE text_bytes >= :bytes_min
ORDER BY text_bytes DESC, line_count DESC, clientid, created
