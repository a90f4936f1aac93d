-- cheapest: one row per product_id.
select
    product_id,
    min(price) as price
from prices
where cast(store_id as text) = 7
group by product_id
