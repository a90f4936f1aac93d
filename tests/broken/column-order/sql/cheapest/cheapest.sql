-- cheapest: one row per product_id.
select
    min(price) as price,
    product_id
from prices
group by product_id
