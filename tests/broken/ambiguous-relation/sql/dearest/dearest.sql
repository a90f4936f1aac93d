-- dearest: one row per product_id.
select
    product_id,
    max(price) as price
from lows
group by product_id
