-- compared_prices: one row per product_id, store_id: prices that there are now or were
-- in the previous snapshot; no rows if there is none.
-- Grouped, not joined: grouping can spill.
with both_sides as (
    select
        product_id,
        store_id,
        price as price_now,
        cast(null as decimal(10,2)) as price_before
    from prices
    where (select count(*) from previous.prices) > 0
    union all
    select
        product_id,
        store_id,
        cast(null as decimal(10,2)) as price_now,
        price as price_before
    from previous.prices
)

select
    product_id,
    store_id,
    max(price_now) as price_now,
    max(price_before) as price_before
from both_sides
group by
    product_id,
    store_id
