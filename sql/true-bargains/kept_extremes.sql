-- kept_extremes: one row per product_id: the cheapest and the dearest of the prices
-- that are in line. A tie goes to the lowest store.
select
    product_id,
    min(price) as cheapest_price,
    max(price) as dearest_price,
    arg_min(store_id, price) as store_id
from judged_prices
where
    not is_off_usual
    and not is_off_history
group by product_id
