-- cheapest: one row per product_id: its lowest price.
select
    product_id,
    min(price) as price
from prices
where price > $least
group by product_id
