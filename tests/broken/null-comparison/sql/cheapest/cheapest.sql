-- cheapest: one row per product_id.
select
    product_id,
    min(price) as price
from prices
where price <> null
group by product_id
