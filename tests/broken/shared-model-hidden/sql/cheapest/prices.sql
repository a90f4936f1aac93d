-- prices: one row per product_id, store_id.
select * from export.prices where store_id < 10
