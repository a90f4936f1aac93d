-- lows: one row per product_id, store_id: prices that count.
select * from prices where price > $least
