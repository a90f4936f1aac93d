-- cheapest: one row per product_id.
drop table prices
