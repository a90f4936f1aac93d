-- cheapest: one row per product_id.
select
    product_id,
    min(prices.price) as price
from prices
inner join prices as others on others.product_id = prices.product_id
group by product_id
