-- dearest: one row per product_id.
select product_id, max(price) as price from asked_prices group by product_id
