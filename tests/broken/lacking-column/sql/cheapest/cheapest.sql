-- cheapest: one row per product_id: its lowest price.
select
    product_id,
    min(price) as lowest
from prices
where price > $least
group by product_id
