-- cheapest: one row per product_id.
select
    prices.product_id,
    min(prices.price) as price
from prices
inner join brands on brands.id = prices.store_id
group by prices.product_id
