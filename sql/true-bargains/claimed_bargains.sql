-- claimed_bargains: one row per product_id: products that bargains would call one.
-- Their dearest price is over min_ratio times their cheapest, and no price is zero.
select
    product_id,
    min(price) as cheapest_price,
    max(price) as dearest_price
from prices
group by product_id
having
    min(price) > 0
    and max(price) > $min_ratio * min(price)
