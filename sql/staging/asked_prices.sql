-- asked_prices: one row per product_id, store_id: the prices above zero: zero is no price.
select
    product_id,
    store_id,
    price
from prices
where price > 0
