-- dearest: one row per product_id: its lowest price.
select
    product_id,
    max(price) as price
from prices
where price > $least
group by product_id
