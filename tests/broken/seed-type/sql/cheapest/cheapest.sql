-- cheapest: one row per product_id: its lowest price.
select
    product_id,
    min(price) as price
from prices inner join brands on brands.id = prices.store_id
where price > $least
group by product_id
