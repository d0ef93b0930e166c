-- The show on air at an instant and the next one of every channel, with their products and items.
-- Shows include their start and exclude their end; cancelled ones are omitted. `:at` is an instant with offset: in psql
-- `\set at '''2025-08-06 12:00+09'''`, or replace it by now().
WITH shows AS (
    SELECT channel_id, starts_at, max(ends_at) AS ends_at
    FROM fct_broadcast
    WHERE cancelled_at IS NULL
    GROUP BY channel_id, starts_at
),
on_air AS (
    SELECT DISTINCT ON (channel_id) channel_id, starts_at
    FROM shows
    WHERE starts_at <= CAST(:at AS timestamptz) AND ends_at > CAST(:at AS timestamptz)
    ORDER BY channel_id, starts_at DESC
),
following AS (
    SELECT channel_id, min(starts_at) AS starts_at
    FROM shows
    WHERE starts_at > CAST(:at AS timestamptz)
    GROUP BY channel_id
),
chosen AS (
    SELECT channel_id, starts_at, 'now' AS which FROM on_air
    UNION ALL
    SELECT channel_id, starts_at, 'next' AS which FROM following
)
SELECT
    channel_id,
    which,
    starts_at,
    ends_at,
    title,
    slot,
    source,
    source_product_id,
    product_name,
    item_id,
    price,
    list_price,
    price_kind
FROM chosen
JOIN fct_broadcast USING (channel_id, starts_at)
LEFT JOIN product_item USING (source, source_product_id)
LEFT JOIN (SELECT source, source_product_id, product_name FROM dim_product WHERE valid_to IS NULL) AS product
    USING (source, source_product_id)
WHERE cancelled_at IS NULL
ORDER BY channel_id, starts_at, slot, source_product_id;
