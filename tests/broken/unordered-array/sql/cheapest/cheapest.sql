-- cheapest: one row per product_id.
select
    product_id,
    array_agg(price) as price
from prices
group by product_id
