-- cheapest: one row per product_id: its lowest price.
select
    product_id,
    min(price) as price
from prices
where price > array[1]
group by product_id
