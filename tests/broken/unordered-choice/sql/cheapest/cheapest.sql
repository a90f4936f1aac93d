-- cheapest: one row per product_id.
select
    product_id,
    first_value(price) as price
from prices
group by product_id
