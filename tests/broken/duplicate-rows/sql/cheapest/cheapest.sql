-- cheapest: one row per product_id.
select
    product_id,
    price
from prices
where price > $least
