-- cheapest: one row per prodct_id, store: its lowest price.
select
    product_id,
    min(price) as price
from prices
where price > $least
group by product_id
