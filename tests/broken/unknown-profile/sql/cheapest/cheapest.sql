-- cheapest: one row per product_id: its lowest price.
select
    product_id,
    min(price) as price
from prices
group by product_id
