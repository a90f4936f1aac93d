-- cheapest: one row per product_id.
select
    a.product_id,
    min(b.price) as price
from prices as a, prices as b
group by a.product_id
