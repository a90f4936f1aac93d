-- cheapest: one row per product_id.
select
    product_id,
    min(price) as price
from lows
group by product_id
