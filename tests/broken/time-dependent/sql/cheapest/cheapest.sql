-- cheapest: one row per product_id.
select
    product_id,
    min(price) as price
from prices
where extract(year from now()) > store_id
group by product_id
