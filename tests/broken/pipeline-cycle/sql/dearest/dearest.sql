-- dearest: one row per product_id.
select product_id, price from cheapest where price > $least
