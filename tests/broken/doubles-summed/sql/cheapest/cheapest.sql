-- cheapest: one row per product_id: its lowest price.
select
    product_id,
    cast(sum(cast(price as double)) as decimal(10,2)) as price
from prices
where price > $least
group by product_id
