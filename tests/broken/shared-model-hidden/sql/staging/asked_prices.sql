-- asked_prices: one row per product_id, store_id.
select product_id, store_id, price
from prices
where price > 0
