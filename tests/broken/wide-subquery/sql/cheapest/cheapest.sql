-- cheapest: one row per product_id: its lowest price.
select
    product_id,
    min(price) as price
from prices
where price > $least
    and product_id in (select product_id, store_id from prices)
group by product_id
