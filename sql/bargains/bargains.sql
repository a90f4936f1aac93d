-- bargains: one row per product_id: those whose dearest price is over min_ratio times
-- their cheapest.
-- Prices are compared as decimals: exactly min_ratio times is not a bargain.
select
    product_id,
    cheapest_store_id as store_id,
    cheapest_price_record_id,
    dearest_price_record_id as most_expensive_price_record_id,
    percentage(dearest_price - cheapest_price, cheapest_price) as percentage_difference
from extremes
where
    price_count >= 2
    and cheapest_price > 0
    and cheapest_store_id <> dearest_store_id
    and dearest_price > $min_ratio * cheapest_price
