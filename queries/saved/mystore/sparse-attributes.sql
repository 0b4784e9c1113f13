-- title: Sparse attributes
-- question: Which attributes have how many of the orders?
-- tables: mystore
-- cost: scans all columns but the key

SELECT
  attribute,
  filled,
  orders - filled AS missing
FROM (
  SELECT
    count(*) AS orders,
    count(active) AS active,
    count(address) AS address,
    count(amount) AS amount,
    count(coupon) AS coupon,
    count(expires_at) AS expires_at,
    count(gift_message) AS gift_message,
    count(lines) AS lines,
    count(locker_ids) AS locker_ids,
    count(loyalty_points) AS loyalty_points,
    count(note) AS note,
    count(qty) AS qty,
    count(referrer) AS referrer,
    count(revision) AS revision,
    count(signature) AS signature,
    count(status) AS status,
    count(tags) AS tags,
    count(vip) AS vip,
    count(weight_kg) AS weight_kg
  FROM mystore
) AS counts
CROSS JOIN UNNEST(
  ARRAY[
    'active', 'address', 'amount', 'coupon', 'expires_at', 'gift_message', 'lines', 'locker_ids',
    'loyalty_points', 'note', 'qty', 'referrer', 'revision', 'signature', 'status', 'tags', 'vip',
    'weight_kg'
  ],
  ARRAY[
    active, address, amount, coupon, expires_at, gift_message, lines, locker_ids, loyalty_points, note, qty,
    referrer, revision, signature, status, tags, vip, weight_kg
  ]
) AS attributes(attribute, filled)
ORDER BY filled DESC, attribute
