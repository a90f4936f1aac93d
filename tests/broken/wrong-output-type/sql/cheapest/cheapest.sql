-- cheapest: one row per product_id: its lowest price.
select
    product_id,
    cast(min(price) as double) as price
from prices
where price > $least
group by product_id
