-- cheapest: one row per product_id: its lowest price.
select
    product_id,
    min(abs(distinct price)) as price
from prices
where price > $least
group by product_id
