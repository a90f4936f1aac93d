-- bargains: one row per product_id: those whose dearest price is over min_ratio times
-- their cheapest.
-- Prices are compared as decimals: exactly min_ratio times is not a bargain.
with dear_enough as (
    select
        product_id,
        cheapest_store_id,
        cheapest_price_record_id,
        dearest_price_record_id,
        cast(cheapest_price * 100 as bigint) as cheapest_cents,
        cast(dearest_price * 100 as bigint) as dearest_cents
    from extremes
    where
        price_count >= 2
        and cheapest_price > 0
        and cheapest_store_id <> dearest_store_id
        and dearest_price > $min_ratio * cheapest_price
),

measured as (
    select
        *,
        (dearest_cents - cheapest_cents) * 100 as hundredfold_difference
    from dear_enough
)

select
    product_id,
    cheapest_store_id as store_id,
    cheapest_price_record_id,
    dearest_price_record_id as most_expensive_price_record_id,
    -- The only rounding: one division of two integers.
    cast(hundredfold_difference as double) / cast(cheapest_cents as double)
        as percentage_difference
from measured
