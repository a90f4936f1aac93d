-- prices: one row per product_id, store_id: prices above zero.
select * from prices where price > 0
