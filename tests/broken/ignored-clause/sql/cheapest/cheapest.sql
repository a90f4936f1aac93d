-- cheapest: one row per product_id: its lowest price.
select
    product_id,
    min(price) as price
from prices TABLESAMPLE bernoulli (10)
full join (select product_id from prices) as known using (product_id)
where price > $least
    or product_id not in (select product_id from prices where store_id = 1)
group by product_id
