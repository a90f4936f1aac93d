-- cheapest: one row per product_id: a note on sum and order by, which is no SQL.
select
    product_id,
    cast(
        sum(price) / SUM(cast(store_id as double)) as decimal(10,2)
    ) as price
from prices
where price > $least
group by product_id
ORDER BY product_id
