-- The lowest price of each product.
select
    product_id,
    min(price) as price
from prices
where price > $least
group by product_id
