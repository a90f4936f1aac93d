-- cheapest: one row per product_id.
select
    product_id,
    min(price) as price
from prices
group by product_id
order by price
